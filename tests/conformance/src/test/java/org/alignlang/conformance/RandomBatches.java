package org.alignlang.conformance;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/** Random batches that hold what a signature reads, ordinary and extreme ones. */
public final class RandomBatches {
  private final Signature signature;
  private final Regime regime;
  private final RandomGenerator random;
  private final int rows;
  private final int vocabulary;

  /** What is out of the ordinary. */
  public enum Regime {
    /** Ragged rows of up to 6 tokens, groups of different sizes, log-ratios around 0. */
    ORDINARY,
    /** Log-ratios of plus and minus 50 per sequence. */
    FAR_RATIOS,
    /** Every row has one token. */
    ONE_TOKEN,
    /** Every row is a group of its own. */
    SINGLE_GROUPS,
    /** Every reward is the same. */
    EQUAL_REWARDS,
    /** One row. */
    ONE_ROW,
    /** Logits of plus and minus 1e4. */
    FAR_LOGITS,
    /** Some tokens that were not taken have probability 0, under all actors. */
    IMPOSSIBLE_TOKENS,
    /** The same, with other tokens under each actor. */
    DIFFERENT_SUPPORTS,
    /** Rows of up to 90 tokens. */
    LONG_ROWS,
    /** Some rows have no token. */
    EMPTY_ROWS
  }

  private RandomBatches(Signature signature, Regime regime, long seed, int rows, int vocabulary) {
    this.signature = signature;
    this.regime = regime;
    this.rows = regime == Regime.ONE_ROW ? 1 : rows;
    this.vocabulary = vocabulary;
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  /** A batch of 7 rows, with 5 tokens in the vocabulary. */
  public static Batch of(Signature signature, Regime regime, long seed) {
    return of(signature, regime, seed, 7, 5);
  }

  /**
   * A batch.
   *
   * @param signature what it is for
   * @param seed the same seed gives the same batch
   * @param rows sequences or pairs; for objectives that enumerate, each group has all its
   *     responses, and there are as many rows as groups of 3 responses need
   * @param vocabulary the number of tokens
   */
  public static Batch of(Signature signature, Regime regime, long seed, int rows, int vocabulary) {
    RandomBatches batches = new RandomBatches(signature, regime, seed, rows, vocabulary);
    return signature.enumerated() ? batches.enumerated() : batches.sampled();
  }

  private Batch sampled() {
    Batch.Builder builder = Batch.builder(rows);
    int[] tokens = new int[signature.sequences().size()];
    for (int s = 0; s < signature.sequences().size(); s++) {
      String sequence = signature.sequences().get(s);
      int[] offsets = new int[rows + 1];
      for (int i = 0; i < rows; i++) {
        offsets[i + 1] =
            offsets[i]
                + switch (regime) {
                  case ONE_TOKEN -> 1;
                  case LONG_ROWS -> 1 + random.nextInt(90);
                  case EMPTY_ROWS -> i % 3 == 1 ? 0 : 1 + random.nextInt(6);
                  default -> 1 + random.nextInt(6);
                };
      }
      builder.sequence(sequence, offsets);
      tokens[s] = offsets[rows];
    }
    int[] groups = new int[rows];
    for (int i = 0; i < rows; i++) {
      groups[i] = regime == Regime.SINGLE_GROUPS ? i : random.nextInt(Math.max(1, rows / 3));
    }
    builder.groupBy(groups);
    int distinct = (int) Arrays.stream(groups).distinct().count();
    boolean vocabularies =
        signature.inputs().stream().anyMatch(input -> input.level() == Level.VOCAB);
    for (int s = 0; s < signature.sequences().size(); s++) {
      String sequence = signature.sequences().get(s);
      int[] taken = random.ints(tokens[s], 0, vocabulary).toArray();
      boolean[] impossible = impossible(Regime.IMPOSSIBLE_TOKENS, taken);
      if (vocabularies) {
        builder.tokens(sequence, taken).vocabulary(vocabulary);
      }
      for (Signature.Input input : signature.inputs()) {
        if (input.sequence().equals(sequence)) {
          boolean[] under =
              regime == Regime.DIFFERENT_SUPPORTS ? impossible(regime, taken) : impossible;
          fill(builder, input, tokens[s], distinct, under);
        }
      }
    }
    for (Signature.Input input : signature.inputs()) {
      if (input.sequence().isEmpty()) {
        fill(builder, input, 0, distinct, new boolean[0]);
      }
    }
    return builder.build();
  }

  /** Some of the entries of logits that are not those of taken tokens, in one regime. */
  private boolean[] impossible(Regime where, int[] taken) {
    boolean[] impossible = new boolean[taken.length * vocabulary];
    for (int e = 0; e < impossible.length; e++) {
      impossible[e] =
          regime == where && e % vocabulary != taken[e / vocabulary] && random.nextDouble() < 0.3;
    }
    return impossible;
  }

  private void fill(
      Batch.Builder builder, Signature.Input input, int tokens, int groups, boolean[] impossible) {
    int size =
        switch (input.level()) {
          case BATCH -> 1;
          case GROUP -> groups;
          case PAIR, SEQUENCE -> rows;
          case TOKEN -> tokens;
          case VOCAB -> tokens * vocabulary;
        };
    double[] values = new double[size * Math.max(1, input.members())];
    for (int e = 0; e < values.length; e++) {
      values[e] =
          switch (input.role()) {
            case LOG_PROBABILITY ->
                regime == Regime.FAR_RATIOS
                    ? (random.nextBoolean() ? -50 : -0.01) * random.nextDouble()
                    : -0.05 - random.nextExponential();
            case LOGITS ->
                impossible[e]
                    ? Double.NEGATIVE_INFINITY
                    : regime == Regime.FAR_LOGITS
                        ? 1e4 * (2 * random.nextDouble() - 1)
                        : random.nextGaussian();
            case TOKENS -> 0;
            case LEARNED -> random.nextGaussian();
            case COLUMN ->
                input.name().endsWith("label")
                    ? random.nextInt(2)
                    : regime == Regime.EQUAL_REWARDS && input.name().contains("reward.")
                        ? 0.75
                        : random.nextGaussian();
          };
    }
    if (input.role() != Signature.Role.TOKENS) {
      builder.column(input.name(), values);
    }
  }

  /** Groups of three responses of one token, whose probabilities sum to 1 under each actor. */
  private Batch enumerated() {
    int responses = regime == Regime.SINGLE_GROUPS ? 1 : 3;
    int groups = Math.max(1, rows / 3);
    int all = groups * responses;
    String sequence = signature.sequences().get(0);
    int[] offsets = new int[all + 1];
    int[] group = new int[all];
    int[] taken = new int[all];
    for (int i = 0; i < all; i++) {
      offsets[i + 1] = i + 1;
      group[i] = i / responses;
      taken[i] = i % responses;
    }
    Batch.Builder builder =
        Batch.builder(all).sequence(sequence, offsets).groupBy(group).tokens(sequence, taken);
    for (Signature.Input input : signature.inputs()) {
      double scale = regime == Regime.FAR_LOGITS ? 1e4 : regime == Regime.FAR_RATIOS ? 25 : 1;
      switch (input.role()) {
        case LOG_PROBABILITY, LOGITS -> {
          double[] logits = new double[all];
          for (int i = 0; i < all; i++) {
            logits[i] = scale * random.nextGaussian();
          }
          if (input.role() == Signature.Role.LOG_PROBABILITY) {
            for (int g = 0; g < groups; g++) {
              double largest = Double.NEGATIVE_INFINITY;
              for (int i = 0; i < responses; i++) {
                largest = Math.max(largest, logits[g * responses + i]);
              }
              double total = 0;
              for (int i = 0; i < responses; i++) {
                total += Math.exp(logits[g * responses + i] - largest);
              }
              for (int i = 0; i < responses; i++) {
                logits[g * responses + i] -= largest + Math.log(total);
              }
            }
            builder.column(input.name(), logits);
          } else {
            double[] repeated = new double[all * responses];
            for (int e = 0; e < repeated.length; e++) {
              repeated[e] = logits[group[e / responses] * responses + e % responses];
            }
            builder.vocabulary(responses).column(input.name(), repeated);
          }
        }
        case COLUMN -> {
          double[] values = new double[all * Math.max(1, input.members())];
          Arrays.setAll(
              values,
              i ->
                  regime == Regime.EQUAL_REWARDS && input.name().contains("reward.")
                      ? 0.75
                      : random.nextGaussian());
          builder.column(input.name(), values);
        }
        case TOKENS -> {}
      }
    }
    return builder.build();
  }

  /**
   * The same batch with the columns of tokens and logits, and the trained ones, in another type.
   */
  public static Batch as(Column.Type type, Signature signature, Batch batch) {
    Batch.Builder builder = Batch.builder(batch.rows()).vocabulary(batch.vocabulary());
    if (batch.groupOf().length == batch.rows()) {
      builder.groupBy(batch.groupOf());
    }
    for (String sequence : signature.sequences()) {
      builder.sequence(sequence, batch.offsets(sequence));
    }
    for (Signature.Input input : signature.inputs()) {
      if (input.role() == Signature.Role.TOKENS) {
        builder.tokens(input.sequence(), batch.tokens(input.sequence()));
        continue;
      }
      double[] values = batch.column(input.name());
      if (!isFine(input) || type == Column.Type.F64) {
        builder.column(input.name(), values);
      } else if (type == Column.Type.F32) {
        builder.column(input.name(), new Column.Doubles(values).toFloats());
      } else {
        MemorySegment memory = MemorySegment.ofArray(new byte[2 * values.length]);
        for (int i = 0; i < values.length; i++) {
          float value = (float) values[i];
          memory.set(
              ValueLayout.JAVA_SHORT_UNALIGNED,
              2L * i,
              type == Column.Type.F16
                  ? Float.floatToFloat16(value)
                  : (short) (Float.floatToRawIntBits(value) >>> 16));
        }
        builder.column(input.name(), memory, type);
      }
    }
    return builder.build();
  }

  private static boolean isFine(Signature.Input input) {
    return input.trained() || input.level() == Level.TOKEN || input.level() == Level.VOCAB;
  }

  /**
   * The same batch in double precision, with every number of what {@link #as} puts into another
   * type moved by a share of it.
   */
  public static Batch moved(Signature signature, Batch batch, double share, long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    Batch.Builder builder = Batch.builder(batch.rows()).vocabulary(batch.vocabulary());
    if (batch.groupOf().length == batch.rows()) {
      builder.groupBy(batch.groupOf());
    }
    for (String sequence : signature.sequences()) {
      builder.sequence(sequence, batch.offsets(sequence));
    }
    for (Signature.Input input : signature.inputs()) {
      if (input.role() == Signature.Role.TOKENS) {
        builder.tokens(input.sequence(), batch.tokens(input.sequence()));
      } else {
        double[] values = batch.column(input.name()).clone();
        for (int i = 0; i < values.length && isFine(input); i++) {
          values[i] *= 1 + share * (2 * random.nextDouble() - 1);
        }
        builder.column(input.name(), values);
      }
    }
    return builder.build();
  }

  /** A random direction in the space of the trained inputs, packed like them. */
  public static double[] direction(int length, long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    double[] direction = new double[length];
    Arrays.setAll(direction, i -> random.nextGaussian());
    return direction;
  }
}
