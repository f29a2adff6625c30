/** Agreements and dated legal bases, and the one decision that follows from them. */
@NullMarked
package no.bindeledd.policy;

import org.jspecify.annotations.NullMarked;
