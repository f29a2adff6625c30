package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers and names that stand in databases, folders and secrets, and so never change. */
class ShardTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "0, 1099511627775, 1099511627775",
    "1, 0, 1099511627776",
    "1, 8, 1099511627784",
    "15, 0, 16492674416640",
    "15, 1099511627775, 17592186044415"
  })
  void anEntrysNumberSaysItsShardAndItsIndex(int shard, long index, long entry) {
    assertThat(new Shard(shard).entry(index)).isEqualTo(entry);
    assertThat(Shard.of(entry)).isEqualTo(new Shard(shard));
    assertThat(Shard.index(entry)).isEqualTo(index);
    assertThat(entry).isBetween(new Shard(shard).first(), new Shard(shard).end() - 1);
  }

  @ParameterizedTest
  @CsvSource({
    "0, log.example.no, '', log.key, shard 0",
    "1, log.example.no/shard-1, shard-1/, log-1.key, shard 1",
    "15, log.example.no/shard-15, shard-15/, log-15.key, shard 15"
  })
  void theFirstHasTheHousesOwnNameAndPlace(
      int number, String origin, String below, String key, String name) {
    Shard shard = new Shard(number);
    assertThat(shard.origin("log.example.no")).isEqualTo(origin);
    assertThat(Shard.isBelow(origin)).isEqualTo(number > 0);
    assertThat(shard.below()).isEqualTo(below);
    assertThat(shard.keyFile()).isEqualTo(key);
    assertThat(shard).hasToString(name);
  }

  @Test
  void thereAreSixteen() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Shard(-1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Shard(16))
        .withMessage("A shard has a number from 0 to 15, not 16");
    assertThat(new Shard(2)).isLessThan(new Shard(10)).isGreaterThan(Shard.FIRST);
  }
}
