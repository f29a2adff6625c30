package no.bindeledd.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.TilePath;
import org.jspecify.annotations.Nullable;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/**
 * The published log under {@code /log/<origin>/}, and those of the other shards below it, as C2SP
 * tlog-tiles says it, for whoever asks: checkpoint, verifier keys and tiles hold nothing but
 * hashes. The entries tell which agencies exchange what and when; they are given only where the
 * settings say so, else from the folder.
 */
@RestController
final class LogEndpoint {
  private static final MediaType TEXT = new MediaType(MediaType.TEXT_PLAIN, StandardCharsets.UTF_8);

  private static final Pattern SHARD = Pattern.compile("(shard-(?:[1-9][0-9]?)/)?(.*)");

  private final LogDirectory log;
  private final String prefix;
  private final boolean entries;

  LogEndpoint(HubSettings settings) {
    this.log = LogDirectory.of(settings.logs(), settings.origin());
    this.prefix = "/" + settings.origin() + "/";
    this.entries = settings.published().entriesOverHttp();
  }

  @GetMapping("/log/{*path}")
  ResponseEntity<?> get(@PathVariable("path") String path) throws IOException {
    String inside = path.startsWith(prefix) ? path.substring(prefix.length()) : "";
    Matcher shard = SHARD.matcher(inside);
    String piece = shard.matches() ? shard.group(2) : "";
    if (piece.equals(LogDirectory.CHECKPOINT) || piece.equals(LogDirectory.KEYS)) {
      return answer(log.read(inside), TEXT, CacheControl.noCache());
    }
    TilePath tile = TilePath.parse(piece);
    if (tile == null) {
      return answer(null, TEXT, CacheControl.noCache());
    }
    if (tile.level() == TilePath.ENTRIES && !entries) {
      return Problems.plain(
          HttpStatus.FORBIDDEN,
          "This log gives its entries from its folder, not over HTTP. Ask its owner for a copy");
    }
    return answer(
        log.read(inside),
        MediaType.APPLICATION_OCTET_STREAM,
        CacheControl.maxAge(Duration.ofDays(365)).immutable());
  }

  private static ResponseEntity<?> answer(
      byte @Nullable [] bytes, MediaType type, CacheControl cache) {
    return bytes == null
        ? Problems.plain(HttpStatus.NOT_FOUND, "The log has no such piece")
        : ResponseEntity.ok().contentType(type).cacheControl(cache).body(bytes);
  }
}
