package org.alignlang.compiler.codegen.jvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelCacheTest {
  private static final String NAME = "Answer";
  private static final String SOURCE =
      "public class Answer { public String toString() { return new Inner().text(); }\n"
          + "  static class Inner { String text() { return \"forty-two\"; } } }";

  @TempDir private Path home;
  private Path program;

  @BeforeEach
  void program() throws IOException {
    program = Files.writeString(home.resolve("align.jar"), "a program");
  }

  private KernelCache cache() {
    return KernelCache.ofUser(Map.of(), home, program).orElseThrow();
  }

  private static String answer(KernelCache cache, String source) {
    try {
      return InMemoryCompiler.load(NAME, source, Optional.of(cache))
          .getConstructor()
          .newInstance()
          .toString();
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private List<Path> kept() {
    try (Stream<Path> files = Files.list(cache().folder())) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aKernelIsFoundAgainByWhatItWasCompiledFrom() {
    String key = cache().key(NAME, SOURCE, List.of());
    assertThat(cache().find(key)).isEmpty();
    cache().keep(key, Map.of("a.A", new byte[] {1, 2}, "a.B", new byte[0]));

    Map<String, byte[]> found = cache().find(key).orElseThrow();
    assertThat(found).containsOnlyKeys("a.A", "a.B");
    assertThat(found.get("a.A")).containsExactly(1, 2);
  }

  @Test
  void whatIsKeptIsWhatRuns() {
    assertThat(answer(cache(), SOURCE)).isEqualTo("forty-two");
    // The kept classes say otherwise, so that it shows which were run.
    String other = SOURCE.replace("forty-two", "forty-one");
    Path kept = kept().getFirst();
    answer(cache(), other);
    String key = cache().key(NAME, SOURCE, List.of("-proc:none", "-nowarn", "-g:lines,vars"));
    String otherKey = cache().key(NAME, other, List.of("-proc:none", "-nowarn", "-g:lines,vars"));
    assertThat(kept.getFileName()).hasToString(key + ".kernel");
    cache().keep(key, cache().find(otherKey).orElseThrow());

    assertThat(answer(cache(), SOURCE)).isEqualTo("forty-one");
  }

  @Test
  void everythingThatTheClassesDependOnIsInTheKey() throws IOException {
    String key = cache().key(NAME, SOURCE, List.of("-g"));
    assertThat(cache().key(NAME, SOURCE, List.of("-g"))).isEqualTo(key);
    List<String> others =
        new ArrayList<>(
            List.of(
                cache().key(NAME, SOURCE + " ", List.of("-g")),
                cache().key(NAME + "r", SOURCE, List.of("-g")),
                cache().key(NAME, SOURCE, List.of()),
                cache().key(NAME, SOURCE + "-g", List.of())));
    Files.setLastModifiedTime(program, FileTime.from(Instant.ofEpochSecond(1)));
    others.add(cache().key(NAME, SOURCE, List.of("-g")));
    Files.writeString(program, "another program");
    others.add(cache().key(NAME, SOURCE, List.of("-g")));
    assertThat(others).doesNotHaveDuplicates().doesNotContain(key);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bit", "truncated", "empty", "renamed", "unsealed"})
  void whatWasTamperedWithIsCompiledAnew(String how) throws IOException {
    answer(cache(), SOURCE);
    Path file = kept().getFirst();
    byte[] bytes = Files.readAllBytes(file);
    switch (how) {
      case "bit" -> {
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
      }
      case "truncated" -> Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 1));
      case "empty" -> Files.write(file, new byte[0]);
      case "renamed" -> {
        String other = SOURCE.replace("forty-two", "seven");
        answer(cache(), other);
        Path second = kept().stream().filter(f -> !f.equals(file)).findFirst().orElseThrow();
        Files.write(file, Files.readAllBytes(second));
      }
      default -> {
        // What somebody would write who does not know the secret.
        KernelCache forged = new KernelCache(cache().folder(), new byte[32], cache().program());
        String key = file.getFileName().toString().replace(".kernel", "");
        forged.keep(key, Map.of(NAME, "evil".getBytes(StandardCharsets.UTF_8)));
      }
    }
    assertThat(answer(cache(), SOURCE)).isEqualTo("forty-two");
    // And mended.
    assertThat(cache().find(file.getFileName().toString().replace(".kernel", ""))).isPresent();
  }

  @Test
  void theEnvironmentChoosesTheFolderOrNone() {
    assertThat(KernelCache.ofUser(Map.of("ALIGN_CACHE", "off"), home, program)).isEmpty();
    Path there = home.resolve("there");
    assertThat(KernelCache.ofUser(Map.of("ALIGN_CACHE", there.toString()), home, program))
        .map(KernelCache::folder)
        .contains(there.resolve("kernels"));
    assertThat(KernelCache.ofUser(Map.of("XDG_CACHE_HOME", there.toString()), home, program))
        .map(KernelCache::folder)
        .contains(there.resolve("align").resolve("kernels"));
    assertThat(KernelCache.ofUser(Map.of("XDG_CACHE_HOME", "relative"), home, program))
        .map(KernelCache::folder)
        .contains(home.resolve(".cache").resolve("align").resolve("kernels"));
    // Classes in a folder are a program in the making, and change without a trace.
    assertThat(KernelCache.ofUser(Map.of(), home, home)).isEmpty();
  }

  @Test
  void aFolderThatCannotBeMadeIsNoError() throws IOException {
    Path file = Files.writeString(home.resolve("file"), "");
    assertThat(KernelCache.ofUser(Map.of("ALIGN_CACHE", file.toString()), home, program)).isEmpty();
    KernelCache cache = cache();
    Files.delete(cache.folder());
    assertThat(answer(cache, SOURCE)).isEqualTo("forty-two");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void whatOthersCanWriteOrReadIsNotTrusted() throws IOException {
    Path folder = cache().folder();
    Path secret = home.resolve(".config").resolve("align").resolve("kernel-cache.secret");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
        .isEqualTo("rwx------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)))
        .isEqualTo("rw-------");

    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwx---"));
    assertThat(KernelCache.ofUser(Map.of(), home, program)).isEmpty();
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(KernelCache.ofUser(Map.of(), home, program)).isPresent();
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(KernelCache.ofUser(Map.of(), home, program)).isEmpty();
  }

  @Test
  void aHalfWrittenSecretIsWaitedForAndThenReplaced() throws IOException {
    cache();
    Path secret = home.resolve(".config").resolve("align").resolve("kernel-cache.secret");
    Files.write(secret, new byte[7]);
    assertThat(KernelCache.ofUser(Map.of(), home, program)).isEmpty();
    Files.setLastModifiedTime(secret, FileTime.from(Instant.now().minusSeconds(3600)));
    assertThat(KernelCache.ofUser(Map.of(), home, program)).isPresent();
    assertThat(Files.size(secret)).isEqualTo(32);
  }

  @Test
  void whatWasNotUsedForLongestGoesFirst() throws IOException {
    KernelCache cache = cache();
    for (int i = 0; i <= 500; i++) {
      Path file = Files.writeString(cache.folder().resolve(i + ".kernel"), "");
      Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(1_000_000 + i)));
    }
    Path unfinished = Files.writeString(cache.folder().resolve("unfinished-1"), "");
    Path begun = Files.writeString(cache.folder().resolve("unfinished-2"), "");
    Files.setLastModifiedTime(unfinished, FileTime.from(Instant.ofEpochSecond(1)));
    String key = cache.key(NAME, SOURCE, List.of());
    cache.keep(key, Map.of());

    assertThat(cache.find(key)).isPresent();
    assertThat(unfinished).doesNotExist();
    assertThat(begun).exists();
    assertThat(cache.folder().resolve("500.kernel")).exists();
    assertThat(cache.folder().resolve("0.kernel")).doesNotExist();
    assertThat(kept()).hasSize(250 + 1);
  }

  @Test
  void manyAtOnceGetTheSame() throws Exception {
    KernelCache cache = cache();
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Callable<String>> calls = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        String text = "answer " + i % 3;
        calls.add(() -> answer(cache, SOURCE.replace("forty-two", text)));
      }
      List<Future<String>> answers = pool.invokeAll(calls);
      for (int i = 0; i < answers.size(); i++) {
        assertThat(answers.get(i).get()).isEqualTo("answer " + i % 3);
      }
    }
    assertThat(kept()).hasSize(3);
  }
}
