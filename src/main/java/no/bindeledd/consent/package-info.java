/** Consents and their versions, withdrawals and blocks. */
@NullMarked
package no.bindeledd.consent;

import org.jspecify.annotations.NullMarked;
