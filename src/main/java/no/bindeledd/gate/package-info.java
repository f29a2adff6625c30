/**
 * The six stations as one pipeline, the Camel component {@code gate:} and the linter that proves
 * there is no way round.
 */
@NullMarked
package no.bindeledd.gate;

import org.jspecify.annotations.NullMarked;
