package no.bindeledd.channel;

import java.net.URI;

/**
 * The hub's login at a FINT installation: OAuth2 password grant with the client's id and secret as
 * Basic authentication (contracts.md § 1).
 *
 * @param scope {@code fint-client} in the common installation
 */
public record FintCredentials(
    URI tokenEndpoint,
    String username,
    String password,
    String clientId,
    String clientSecret,
    String scope) {
  /** Without the secrets. */
  @Override
  public String toString() {
    return "FintCredentials[" + tokenEndpoint + ", " + clientId + "]";
  }
}
