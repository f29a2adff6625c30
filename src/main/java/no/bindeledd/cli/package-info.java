/** What people type. */
@NullMarked
package no.bindeledd.cli;

import org.jspecify.annotations.NullMarked;
