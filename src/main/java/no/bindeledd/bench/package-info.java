/** The benchmark: the hub beside bare Camel, on one machine, in one run. See docs/benchmark.md. */
@NullMarked
package no.bindeledd.bench;

import org.jspecify.annotations.NullMarked;
