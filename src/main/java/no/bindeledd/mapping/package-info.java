/** JSLT mappings, code lists, JSON Schemas and the field allow-list: the station <em>shape</em>. */
@NullMarked
package no.bindeledd.mapping;

import org.jspecify.annotations.NullMarked;
