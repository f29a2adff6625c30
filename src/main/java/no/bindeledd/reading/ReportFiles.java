package no.bindeledd.reading;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.openhtmltopdf.pdfboxout.PdfRendererBuilder;
import com.openhtmltopdf.util.XRLog;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import no.bindeledd.audit.VerifierKey;
import org.apache.pdfbox.pdmodel.PDDocument;

/**
 * The report to the person concerned as files: {@code report.nb.html}, {@code report.en.html}, the
 * same as {@code .pdf} (tagged, PDF/UA), and {@code proofs.json}. Made from a trail that is proved;
 * nothing else of the hub is asked. No state, safe on any thread.
 */
public final class ReportFiles {
  static {
    XRLog.setLoggingEnabled(false); // it would tell of the page's content
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private ReportFiles() {}

  /** The files by name, sorted. */
  public static SequencedMap<String, byte[]> of(
      SubjectTrail trail, Glossary glossary, List<VerifierKey> keys, Instant made)
      throws IOException {
    SequencedMap<String, byte[]> files = new TreeMap<>();
    for (ReportPage.Language language : ReportPage.Language.values()) {
      String html = ReportPage.of(language, trail, glossary, made);
      String name = "report." + language.tag();
      files.put(name + ".html", html.getBytes(StandardCharsets.UTF_8));
      files.put(name + ".pdf", pdf(html));
    }
    files.put("proofs.json", proofs(trail, keys));
    return files;
  }

  /** The files in one archive. */
  public static byte[] zipped(Map<String, byte[]> files) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] pdf(String html) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PdfRendererBuilder renderer = new PdfRendererBuilder();
    renderer.useFastMode();
    renderer.usePdfUaAccessibility(true);
    for (int weight : new int[] {400, 700}) {
      renderer.useFont(
          ReportFiles::font, "Liberation Sans", weight, PdfRendererBuilder.FontStyle.NORMAL, true);
    }
    renderer.withHtmlContent(html, null);
    renderer.toStream(bytes);
    renderer.run();
    return bytes.toByteArray();
  }

  /** PDF/UA wants fonts inside; PDFBox carries this one (SIL Open Font License). */
  private static InputStream font() {
    InputStream font =
        PDDocument.class.getResourceAsStream(
            "/org/apache/pdfbox/resources/ttf/LiberationSans-Regular.ttf");
    if (font == null) {
      throw new IllegalStateException("PDFBox lacks the font Liberation Sans");
    }
    return font;
  }

  /** All that a third party needs, and no more than the person may have. */
  private static byte[] proofs(SubjectTrail trail, List<VerifierKey> keys) {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", "bindeledd-subject-proofs/1");
    root.put("pseudonym", trail.subject().value());
    keys.forEach(key -> root.withArray("vkeys").add(key.vkey()));
    trail
        .checkpoints()
        .values()
        .forEach(checkpoint -> root.withArray("checkpoints").add(checkpoint.encoded()));
    root.putArray("entries");
    for (SubjectTrail.Proven proven : trail.entries()) {
      ObjectNode entry = root.withArray("entries").addObject();
      entry.put("index", proven.index());
      entry.put("entry", new String(proven.bytes(), StandardCharsets.UTF_8));
      byte[] salt = proven.entry().salt();
      if (proven.entry().subject() != null && salt != null) {
        entry.put("salt", HexFormat.of().formatHex(salt));
      }
      entry.put("proof", proven.proof().encoded());
    }
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of texts can be written as JSON", e);
    }
  }
}
