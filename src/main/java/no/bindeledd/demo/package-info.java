/** Synthetic agencies and people around a real broker, database, SFTP server and HTTP services. */
@NullMarked
package no.bindeledd.demo;

import org.jspecify.annotations.NullMarked;
