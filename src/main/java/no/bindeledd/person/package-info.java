/**
 * Identity numbers, birth dates, protection grades, pseudonyms and the encryption of person data at
 * rest.
 */
@NullMarked
package no.bindeledd.person;

import org.jspecify.annotations.NullMarked;
