/** How agencies speak: file profiles, HL7 v2, FINT, Maskinporten, sealed Kafka values. */
@NullMarked
package no.bindeledd.channel;

import org.jspecify.annotations.NullMarked;
