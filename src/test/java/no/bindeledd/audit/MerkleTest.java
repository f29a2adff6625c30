package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class MerkleTest {
  private static final HexFormat HEX = HexFormat.of();

  /** The leaves and roots of the certificate-transparency reference implementation's tests. */
  private static final List<String> LEAVES =
      List.of(
          "",
          "00",
          "10",
          "2021",
          "3031",
          "40414243",
          "5051525354555657",
          "606162636465666768696a6b6c6d6e6f");

  private static final List<String> ROOTS =
      List.of(
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

  private static final List<byte[]> HASHES = hashes(200);
  private static final List<byte[]> TREE_ROOTS =
      IntStream.rangeClosed(0, 200).mapToObj(n -> MerkleProof.root(HASHES.subList(0, n))).toList();

  @Example
  void theFrontierGivesThePublishedRoots() {
    TreeHash hash = new TreeHash();
    MerkleFrontier frontier = new MerkleFrontier();
    List<String> roots = new ArrayList<>(List.of(HEX.formatHex(frontier.root())));
    for (String leaf : LEAVES) {
      frontier.append(hash.leaf(HEX.parseHex(leaf)));
      roots.add(HEX.formatHex(frontier.root()));
    }
    assertThat(roots).isEqualTo(ROOTS);
  }

  @Example
  void theProofsAreThePublishedOnes() {
    TreeHash hash = new TreeHash();
    List<byte[]> leaves = LEAVES.stream().map(leaf -> hash.leaf(HEX.parseHex(leaf))).toList();
    assertThat(hex(MerkleProof.inclusion(0, leaves)))
        .containsExactly(
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
    assertThat(hex(MerkleProof.consistency(1, leaves)))
        .containsExactly(
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
    assertThat(hex(MerkleProof.consistency(6, leaves)))
        .containsExactly(
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
  }

  @Property(tries = 1000)
  void theFrontierIsTheTreeAndSurvivesSerialisation(
      @ForAll @IntRange(max = 200) int size, @ForAll @IntRange(max = 200) int part) {
    int split = Math.min(size, part);
    MerkleFrontier frontier = new MerkleFrontier();
    HASHES.subList(0, split).forEach(frontier::append);
    MerkleFrontier read = MerkleFrontier.parse(split, frontier.serialise());
    MerkleFrontier copy = read.copy();
    HASHES.subList(split, size).forEach(read::append);
    assertThat(read.root()).isEqualTo(TREE_ROOTS.get(size));
    assertThat(read.size()).isEqualTo(size);
    assertThat(copy.root()).isEqualTo(TREE_ROOTS.get(split));
  }

  @Example
  void everyLeafOfEveryTreeUpTo200HasAnInclusionProof() {
    for (int size = 1; size <= 200; size++) {
      List<byte[]> leaves = HASHES.subList(0, size);
      for (int index = 0; index < size; index++) {
        List<byte[]> path = MerkleProof.inclusion(index, leaves);
        byte[] root = TREE_ROOTS.get(size);
        boolean proved = MerkleProof.verifyInclusion(HASHES.get(index), index, size, path, root);
        assertThat(proved).as("%d in %d", index, size).isTrue();
      }
    }
  }

  @Example
  void everyTreeUpTo200IsConsistentWithEveryEarlierOne() {
    for (int second = 1; second <= 200; second++) {
      for (int first = 1; first <= second; first++) {
        List<byte[]> proof = MerkleProof.consistency(first, HASHES.subList(0, second));
        boolean proved =
            MerkleProof.verifyConsistency(
                first, second, TREE_ROOTS.get(first), TREE_ROOTS.get(second), proof);
        assertThat(proved).as("%d to %d", first, second).isTrue();
      }
    }
  }

  @Property(tries = 1000)
  void aProofOfSomethingElseFails(
      @ForAll @IntRange(min = 2, max = 200) int size,
      @ForAll @IntRange(max = 199) int leaf,
      @ForAll @IntRange(max = 255) int where) {
    int index = leaf % size;
    byte[] root = TREE_ROOTS.get(size);
    List<byte[]> path = MerkleProof.inclusion(index, HASHES.subList(0, size));
    byte[] hash = HASHES.get(index);
    int other = (index + 1) % size;
    assertThat(MerkleProof.verifyInclusion(hash, other, size, path, root)).isFalse();
    assertThat(MerkleProof.verifyInclusion(HASHES.get(other), index, size, path, root)).isFalse();
    assertThat(MerkleProof.verifyInclusion(hash, index, size, flip(path, where), root)).isFalse();
    assertThat(MerkleProof.verifyInclusion(hash, index, size, path.subList(1, path.size()), root))
        .isFalse();
    assertThat(MerkleProof.verifyInclusion(hash, index, size, longer(path), root)).isFalse();
    assertThat(MerkleProof.verifyInclusion(hash, size, size, path, root)).isFalse();
  }

  @Property(tries = 1000)
  void aConsistencyProofOfSomethingElseFails(
      @ForAll @IntRange(min = 2, max = 200) int second,
      @ForAll @IntRange(max = 199) int from,
      @ForAll @IntRange(max = 255) int where) {
    int first = 1 + from % (second - 1);
    byte[] before = TREE_ROOTS.get(first);
    byte[] after = TREE_ROOTS.get(second);
    List<byte[]> proof = MerkleProof.consistency(first, HASHES.subList(0, second));
    assertThat(MerkleProof.verifyConsistency(first, second, after, before, proof)).isFalse();
    assertThat(MerkleProof.verifyConsistency(first, second, before, after, flip(proof, where)))
        .isFalse();
    assertThat(MerkleProof.verifyConsistency(first, second, before, after, longer(proof)))
        .isFalse();
    assertThat(
            MerkleProof.verifyConsistency(
                first, second, before, after, proof.subList(1, proof.size())))
        .isFalse();
    assertThat(MerkleProof.verifyConsistency(second, first, after, before, proof)).isFalse();
  }

  @Example
  void theEmptyTreeIsAPrefixOfEveryTreeAndEqualTreesNeedNoProof() {
    byte[] empty = TREE_ROOTS.get(0);
    byte[] five = TREE_ROOTS.get(5);
    assertThat(MerkleProof.verifyConsistency(0, 5, empty, five, List.of())).isTrue();
    assertThat(MerkleProof.verifyConsistency(0, 5, five, five, List.of())).isFalse();
    assertThat(MerkleProof.verifyConsistency(5, 5, five, five, List.of())).isTrue();
    assertThat(MerkleProof.verifyConsistency(5, 5, five, empty, List.of())).isFalse();
    assertThat(MerkleProof.verifyConsistency(3, 5, five, five, List.of())).isFalse();
  }

  @Example
  void aFrontierOfTheWrongLengthIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> MerkleFrontier.parse(3, new byte[32]));
    assertThatIllegalArgumentException().isThrownBy(() -> MerkleFrontier.parse(-1, new byte[0]));
  }

  @Example
  void aProofIsOnlyMadeForWhatTheTreeHas() {
    List<byte[]> leaves = HASHES.subList(0, 3);
    assertThatIllegalArgumentException().isThrownBy(() -> MerkleProof.inclusion(3, leaves));
    assertThatIllegalArgumentException().isThrownBy(() -> MerkleProof.inclusion(-1, leaves));
    assertThatIllegalArgumentException().isThrownBy(() -> MerkleProof.consistency(0, leaves));
    assertThatIllegalArgumentException().isThrownBy(() -> MerkleProof.consistency(4, leaves));
  }

  private static List<byte[]> hashes(int count) {
    TreeHash hash = new TreeHash();
    return IntStream.range(0, count)
        .mapToObj(i -> hash.leaf(new byte[] {(byte) (i >> 8), (byte) i}))
        .toList();
  }

  private static List<byte[]> flip(List<byte[]> proof, int where) {
    List<byte[]> flipped = new ArrayList<>(proof);
    int node = where % proof.size();
    byte[] changed = Arrays.copyOf(proof.get(node), 32);
    changed[where % 32] ^= 1;
    flipped.set(node, changed);
    return flipped;
  }

  private static List<byte[]> longer(List<byte[]> proof) {
    List<byte[]> longer = new ArrayList<>(proof);
    longer.add(new byte[32]);
    return longer;
  }

  private static List<String> hex(List<byte[]> hashes) {
    return hashes.stream().map(HEX::formatHex).toList();
  }
}
