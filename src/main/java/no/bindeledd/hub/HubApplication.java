package no.bindeledd.hub;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;

/**
 * The hub as a Spring Boot application; what it is made of is in {@link HubConfiguration} and its
 * siblings.
 */
@SpringBootApplication
@EnableConfigurationProperties(HubSettings.class)
public class HubApplication {}
