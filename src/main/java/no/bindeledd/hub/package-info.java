/** The assembled hub: settings, wiring with Spring and Camel, and the HTTP edge. */
@NullMarked
package no.bindeledd.hub;

import org.jspecify.annotations.NullMarked;
