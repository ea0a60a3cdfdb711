package org.alignlang.conformance.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.alignlang.compiler.source.StandardLibrary;
import org.junit.jupiter.api.Test;

/**
 * Whatever a text holds, the compiler says what is wrong with it and never fails, hangs or exhausts
 * the machine. Mutants of the library, the samples and the examples of the documentation, guided by
 * which of them reach what no text before reached.
 *
 * <p>{@code -Dalign.fuzz.cases=100000} makes a long run of it, {@code -Dalign.fuzz.seed=N} another
 * one.
 */
class FuzzTest {
  private static final int CASES = Integer.getInteger("align.fuzz.cases", 600);
  private static final long SEED = Long.getLong("align.fuzz.seed", 1);

  /** Far more than any text of this size takes, on any machine. */
  private static final Duration HANGS = Duration.ofSeconds(60);

  private final Map<String, Integer> outcomes = new TreeMap<>();
  private final AtomicReference<String> current = new AtomicReference<>("");
  private volatile long since;

  @Test
  void mutants() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
    Function<String, String> pipeline = InstrumentingLoader.pipeline();
    List<String> corpus = new ArrayList<>(seeds());
    SpecMutator mutator = new SpecMutator(random, corpus);
    List<String> failures = new ArrayList<>();
    Thread watch = watch(Thread.currentThread());
    int kept = 0;
    for (int i = 0; i < CASES && failures.size() < 10; i++) {
      // New texts are tried more often than old ones: what they reach is new too.
      int which = random.nextInt(4) == 0 ? Math.max(0, corpus.size() - 40) : 0;
      String parent = corpus.get(which + random.nextInt(corpus.size() - which));
      String text = i < corpus.size() && i < CASES / 10 ? corpus.get(i) : mutator.mutate(parent);
      Edges.clear();
      current.set(text);
      since = System.nanoTime();
      try {
        outcomes.merge(pipeline.apply(text), 1, Integer::sum);
      } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
        failures.add("case " + i + ": " + trace(e) + "\n" + text);
      }
      if (Edges.fresh() > 0) {
        corpus.add(text);
        kept++;
      }
    }
    watch.interrupt();
    System.out.println(
        "Fuzzed: %d texts, %s, %d edges, %d texts kept"
            .formatted(CASES, outcomes, Edges.seen(), kept));
    assertThat(failures).isEmpty();
    assertThat(outcomes.keySet()).contains("parsed", "checked", "compiled");
    assertThat(kept).isGreaterThan(CASES / 100);
  }

  /** Texts that were never specs: bytes, characters and words without order. */
  @Test
  void noise() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
    Pipeline pipeline = new Pipeline();
    List<String> words =
        seeds().stream().flatMap(s -> Stream.of(s.split("(?<=\\W)|(?=\\W)"))).distinct().toList();
    for (int i = 0; i < Math.max(300, CASES / 5); i++) {
      String text =
          switch (i % 4) {
            case 0 -> {
              byte[] bytes = new byte[random.nextInt(400)];
              random.nextBytes(bytes);
              yield new String(bytes, StandardCharsets.ISO_8859_1);
            }
            case 1 -> {
              StringBuilder characters = new StringBuilder();
              random
                  .ints(random.nextInt(300), 0, 0x10000)
                  .forEach(c -> characters.append((char) c));
              yield characters.toString();
            }
            case 2 -> {
              StringBuilder characters = new StringBuilder("objective X {");
              random.ints(random.nextInt(300), 32, 127).forEach(c -> characters.append((char) c));
              yield characters.toString();
            }
            default -> {
              StringBuilder sentence = new StringBuilder();
              random
                  .ints(random.nextInt(200), 0, words.size())
                  .forEach(w -> sentence.append(words.get(w)).append(w % 3 == 0 ? " " : ""));
              yield sentence.toString();
            }
          };
      try {
        pipeline.apply(text);
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("noise " + i + ":\n" + text, e);
      }
    }
  }

  /** Ends a run that does not get on, and says where. */
  private Thread watch(Thread watched) {
    since = System.nanoTime();
    return Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            while (System.nanoTime() - since < HANGS.toNanos()) {
              Thread.sleep(500);
            }
            StringBuilder stack = new StringBuilder();
            for (StackTraceElement element : watched.getStackTrace()) {
              stack.append("  at ").append(element).append('\n');
            }
            System.err.println("This text takes for ever:\n" + current.get() + "\n" + stack);
            Runtime.getRuntime().halt(3);
          } catch (InterruptedException _) {
            // The run is over.
          }
        });
  }

  private static String trace(Throwable problem) {
    StringBuilder text = new StringBuilder(problem.toString());
    StackTraceElement[] stack = problem.getStackTrace();
    for (int i = 0; i < Math.min(stack.length, 12); i++) {
      text.append("\n  at ").append(stack[i]);
    }
    return text.toString();
  }

  private static List<String> seeds() {
    List<String> seeds = new ArrayList<>();
    for (String path : StandardLibrary.paths()) {
      // Declarations a few at a time: a mutant should break one and leave its neighbours.
      StringBuilder part = new StringBuilder();
      for (String declaration :
          StandardLibrary.source(path).orElseThrow().split("(?m)(?<=^\\}\\n)")) {
        if (part.length() + declaration.length() > 700 && !part.isEmpty()) {
          seeds.add(part.toString());
          part.setLength(0);
        }
        part.append(declaration);
      }
      seeds.add(part.toString());
    }
    Path root = Path.of("../..");
    try (Stream<Path> files = Files.walk(root.resolve("samples"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".align")).sorted().toList()) {
        seeds.add(Files.readString(file));
      }
      String guide = Files.readString(root.resolve("compiler/core/docs/language.md"));
      for (String block : guide.split("```align")) {
        int end = block.indexOf("```");
        if (end > 0 && block.contains("objective")) {
          seeds.add(block.substring(block.indexOf('\n') + 1, end));
        }
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return seeds.stream().filter(s -> s.length() < 1_600).toList();
  }
}
