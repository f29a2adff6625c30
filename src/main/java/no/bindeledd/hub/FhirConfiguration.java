package no.bindeledd.hub;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.FhirVersionEnum;
import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Interceptor;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.parser.LenientErrorHandler;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.PayloadTooLargeException;
import ca.uhn.fhir.rest.server.exceptions.UnclassifiedServerFailureException;
import jakarta.servlet.http.HttpServletRequest;
import java.time.InstantSource;
import java.util.List;
import no.bindeledd.consent.ConsentRegistry;
import org.hl7.fhir.r4.model.OperationOutcome.IssueType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * One FHIR R4 server under {@code /fhir}. Every bean that is an {@link IResourceProvider} is part
 * of it, and checks its callers itself.
 */
@Configuration(proxyBeanMethods = false)
class FhirConfiguration {
  private static final long LARGEST = 1 << 20;

  @Bean
  FhirContext fhirContext() {
    FhirContext context = FhirContext.forR4();
    // It would write what it does not know to the log.
    context.setParserErrorHandler(new LenientErrorHandler(false));
    return context;
  }

  @Bean
  FhirConsentProvider fhirConsents(
      Callers callers,
      Keepers keepers,
      ConsentKeeping keeping,
      ConsentRegistry consents,
      FhirContext context,
      InstantSource clock) {
    return new FhirConsentProvider(callers, keepers, keeping, consents, context, clock);
  }

  @Bean
  ServletRegistrationBean<RestfulServer> fhirServer(
      FhirContext context, List<IResourceProvider> providers) {
    RestfulServer server = new RestfulServer(context);
    server.setDefaultResponseEncoding(EncodingEnum.JSON);
    server.setServerName("Bindeledd");
    server.setResourceProviders(List.copyOf(providers));
    server.registerInterceptor(new Discretion());
    ServletRegistrationBean<RestfulServer> bean = new ServletRegistrationBean<>(server, "/fhir/*");
    bean.setName("fhir-" + FhirVersionEnum.R4.name());
    return bean;
  }

  /** Lets out no word of a request, and takes in none that is too large to read. */
  @Interceptor
  public static final class Discretion {
    private static final Logger LOG = LoggerFactory.getLogger(Discretion.class);

    /** A length must be given, so that what is too large is refused unread. */
    @Hook(Pointcut.SERVER_INCOMING_REQUEST_PRE_PROCESSED)
    public boolean length(HttpServletRequest http) {
      boolean body = http.getMethod().equals("POST") || http.getMethod().equals("PUT");
      if (body && (http.getContentLengthLong() < 0 || http.getContentLengthLong() > LARGEST)) {
        throw new PayloadTooLargeException(
            "Too large",
            FhirProblem.outcome(
                IssueType.TOOLONG, "Send a Content-Length of at most " + LARGEST + " bytes"));
      }
      return true;
    }

    /** What the server itself says may quote the request. */
    @Hook(Pointcut.SERVER_PRE_PROCESS_OUTGOING_EXCEPTION)
    public BaseServerResponseException discreet(Throwable failure) {
      if (failure instanceof BaseServerResponseException told
          && told.getOperationOutcome() != null) {
        return told;
      }
      int status = failure instanceof BaseServerResponseException told ? told.getStatusCode() : 500;
      if (status >= 500) {
        LOG.error("A FHIR request failed ({})", failure.getClass().getName());
      }
      UnclassifiedServerFailureException discreet =
          new UnclassifiedServerFailureException(status, "Not done");
      discreet.setOperationOutcome(
          FhirProblem.outcome(
              status >= 500 ? IssueType.EXCEPTION : IssueType.INVALID,
              status >= 500
                  ? "The request failed here; the log names the kind of failure"
                  : "The request cannot be read as FHIR R4, or is none that is offered here"));
      return discreet;
    }
  }
}
