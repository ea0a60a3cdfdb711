package org.alignlang.runtime.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Role;

/**
 * Random data that an objective can be timed on: logits of a standard deviation of 2.5 nats, actors
 * that differ from each other by a tenth of that.
 */
public final class SyntheticBatch {
  private static final double SPREAD = 2.5;
  private static final double DIFFERENCE = 0.25;
  private static final int GROUP = 4;

  private final Signature signature;
  private final Shape shape;
  private final Column.Type type;
  private final RandomGenerator random;

  /**
   * How large a batch is.
   *
   * @param rows sequences, or pairs
   * @param tokens the length of every sequence
   * @param vocabulary the number of logits of a token; unused where no logits are read
   */
  public record Shape(int rows, int tokens, int vocabulary) {
    public Shape {
      if (rows < 1 || tokens < 1 || vocabulary < 1) {
        throw new IllegalArgumentException("rows, tokens and vocabulary must be at least 1");
      }
      if ((double) rows * tokens * vocabulary > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            "%d rows of %d tokens with %d logits each are more than one column can hold"
                .formatted(rows, tokens, vocabulary));
      }
    }
  }

  private SyntheticBatch(Signature signature, Shape shape, Column.Type type, long seed) {
    this.signature = signature;
    this.shape = shape;
    this.type = type;
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  /**
   * A batch.
   *
   * @param type of the columns of tokens and logits and of those that have a gradient
   * @param seed the same seed gives the same batch
   * @throws IllegalArgumentException if the objective wants all responses of every prompt, which is
   *     no matter of size
   */
  public static Batch of(Signature signature, Shape shape, Column.Type type, long seed) {
    if (signature.enumerated()) {
      throw new IllegalArgumentException(
          "`%s` is estimated with `exact`, from all responses of every prompt"
              .formatted(signature.objective()));
    }
    return new SyntheticBatch(signature, shape, type, seed).batch();
  }

  /** Whether an objective reads logits. */
  public static boolean readsLogits(Signature signature) {
    return signature.inputs().stream().anyMatch(input -> input.level() == Level.VOCAB);
  }

  /** The logits of one actor, or the tokens where no logits are read, of all sequences. */
  public static long elements(Signature signature, Batch batch) {
    long tokens = 0;
    for (String sequence : signature.sequences()) {
      tokens += batch.offsets(sequence)[batch.rows()];
    }
    return readsLogits(signature) ? tokens * batch.vocabulary() : tokens;
  }

  /** The bytes that a call must move at least: each column read once, each gradient written. */
  public static long bytes(Signature signature, Batch batch) {
    long bytes = 0;
    for (Input input : signature.inputs()) {
      if (input.role() == Role.TOKENS) {
        bytes += 4L * batch.tokens(input.sequence()).length;
        continue;
      }
      Column column = batch.data(input.name());
      bytes += (long) column.length() * column.type().bytes();
      if (input.trained()) {
        bytes += (long) column.length() * (column.type() == Column.Type.F64 ? 8 : 4);
      }
    }
    return bytes;
  }

  private Batch batch() {
    Batch.Builder builder = Batch.builder(shape.rows());
    if (signature.grouped()) {
      int[] groups = new int[shape.rows()];
      Arrays.setAll(groups, row -> row / GROUP);
      builder.groupBy(groups);
    }
    int tokens = shape.rows() * shape.tokens();
    for (String sequence : signature.sequences()) {
      int[] offsets = new int[shape.rows() + 1];
      Arrays.setAll(offsets, row -> row * shape.tokens());
      builder.sequence(sequence, offsets);
      if (readsLogits(signature)) {
        builder
            .vocabulary(shape.vocabulary())
            .tokens(sequence, random.ints(tokens, 0, shape.vocabulary()).toArray());
      }
      float[] common = new float[0];
      for (Input input : signature.inputs()) {
        if (input.sequence().equals(sequence)) {
          if (input.role() == Role.LOGITS && common.length == 0) {
            common = gaussians(tokens * shape.vocabulary(), SPREAD);
          }
          fill(builder, input, common);
        }
      }
    }
    for (Input input : signature.inputs()) {
      if (input.sequence().isEmpty()) {
        fill(builder, input, new float[0]);
      }
    }
    return builder.build();
  }

  private float[] gaussians(int count, double scale) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (scale * random.nextGaussian());
    }
    return numbers;
  }

  private void fill(Batch.Builder builder, Input input, float[] common) {
    if (input.role() == Role.TOKENS) {
      return;
    }
    int places =
        switch (input.level()) {
          case BATCH -> 1;
          case GROUP -> (shape.rows() + GROUP - 1) / GROUP;
          case PAIR, SEQUENCE -> shape.rows();
          case TOKEN -> shape.rows() * shape.tokens();
          case VOCAB -> common.length;
        };
    float[] numbers = new float[places * Math.max(1, input.members())];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          (float)
              switch (input.role()) {
                case LOGITS -> common[i] + DIFFERENCE * random.nextGaussian();
                case LOG_PROBABILITY -> -0.05 - random.nextExponential();
                case LEARNED -> random.nextGaussian();
                case COLUMN ->
                    input.name().endsWith("label")
                        ? random.nextInt(2)
                        : signature
                            .stateOf(input)
                            .map(Signature.State::initial)
                            .orElseGet(random::nextGaussian);
                case TOKENS -> throw new IllegalStateException("no numbers: " + input);
              };
    }
    boolean fine = input.trained() || input.level() == Level.TOKEN || input.level() == Level.VOCAB;
    if (!fine || type == Column.Type.F64) {
      builder.column(input.name(), new Column.Floats(numbers).toDoubles());
    } else if (type == Column.Type.F32) {
      builder.column(input.name(), numbers);
    } else {
      builder.column(input.name(), halves(numbers), type);
    }
  }

  private MemorySegment halves(float[] numbers) {
    MemorySegment memory = MemorySegment.ofArray(new byte[2 * numbers.length]);
    ValueLayout.OfShort layout =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < numbers.length; i++) {
      short half =
          type == Column.Type.F16
              ? Float.floatToFloat16(numbers[i])
              : (short) (Float.floatToRawIntBits(numbers[i]) >>> 16);
      memory.set(layout, 2L * i, half);
    }
    return memory;
  }
}
