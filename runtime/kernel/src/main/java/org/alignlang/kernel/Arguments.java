package org.alignlang.kernel;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The arguments of a generated class, held to the signature of its kernel. Every message names the
 * line of the spec that declares the argument, the argument, the shape that belongs there, and the
 * shape that was found.
 *
 * <p>Nothing is copied: the batch reads the arrays and the memory that are handed in.
 */
public final class Arguments {
  private final Signature signature;
  private final List<Argument> declared;
  private final int rows;
  private final Map<String, Column> columns = new HashMap<>();
  private final Map<String, int[]> offsets = new HashMap<>();
  private final Map<String, int[]> tokens = new HashMap<>();
  private Optional<int[]> groups = Optional.empty();
  private int vocabulary;

  /**
   * @param signature what the kernel reads
   * @param declared the arguments that there are
   * @param rows the number of sequences, or of pairs
   */
  public Arguments(Signature signature, List<Argument> declared, int rows) {
    if (rows < 0) {
      throw new EvaluationException(
          "a batch of `" + signature.objective() + "` cannot have " + rows + " rows");
    }
    this.signature = signature;
    this.declared = declared;
    this.rows = rows;
  }

  /** The numbers of an input. */
  public void column(String input, Column column) {
    columns.put(input, column);
  }

  /** The number of an input that the batch has once. */
  public void number(String input, double value) {
    columns.put(input, new Column.Doubles(new double[] {value}));
  }

  /** Truth values, one per row. */
  public void truths(String input, boolean[] values) {
    double[] numbers = new double[values.length];
    Arrays.setAll(numbers, i -> values[i] ? 1 : 0);
    columns.put(input, new Column.Doubles(numbers));
  }

  /** How many tokens each row of a sequence has. */
  public void lengths(String sequence, int[] lengths) {
    Argument argument = argument(Argument.Kind.LENGTHS, sequence);
    requireShape(argument, lengths.length, rows, "one length per row");
    int[] ends = new int[rows + 1];
    for (int i = 0; i < rows; i++) {
      if (lengths[i] < 0) {
        throw failure(argument, "has the length " + lengths[i] + " at row " + i);
      }
      ends[i + 1] = Math.addExact(ends[i], lengths[i]);
    }
    offsets.put(sequence, ends);
  }

  /** The taken tokens of a sequence. */
  public void tokens(String sequence, int[] taken) {
    tokens.put(sequence, taken);
  }

  /** The group of each row: any numbers, equal for rows of the same group. */
  public void groups(int[] ids) {
    requireShape(argument(Argument.Kind.GROUPS, ""), ids.length, rows, "one number per row");
    groups = Optional.of(ids);
  }

  /** The size of the vocabulary. */
  public void vocabulary(int size) {
    if (size < 1) {
      throw failure(argument(Argument.Kind.VOCABULARY, ""), "cannot be " + size);
    }
    vocabulary = size;
  }

  /**
   * The batch.
   *
   * @throws EvaluationException if an argument is missing, or has another shape than belongs there,
   *     or holds what no number of its kind can be
   */
  public Batch build() {
    Batch.Builder batch = Batch.builder(rows);
    for (Argument argument : declared) {
      if (argument.kind() == Argument.Kind.LENGTHS && !offsets.containsKey(argument.key())) {
        throw missing(argument, "one length per row, " + shape(rows));
      }
      if (argument.kind() == Argument.Kind.VOCABULARY && vocabulary == 0) {
        throw missing(argument, "the number of entries of the vocabulary");
      }
      if (argument.kind() == Argument.Kind.GROUPS) {
        batch.groupBy(
            groups.orElseThrow(() -> missing(argument, "one number per row, " + shape(rows))));
      }
    }
    for (String sequence : signature.sequences()) {
      batch.sequence(sequence, offsets(sequence));
    }
    batch.vocabulary(vocabulary);
    // What was handed in first: that something else is missing is soon seen anyway.
    for (Argument argument : declared) {
      Column given = columns.get(argument.key());
      if (argument.kind() == Argument.Kind.COLUMN && given != null) {
        Signature.Input input = input(argument);
        requireShape(argument, given.length(), count(argument, input), what(input));
      }
    }
    for (Argument argument : declared) {
      switch (argument.kind()) {
        case COLUMN -> batch.column(argument.key(), checked(argument));
        case TOKENS -> batch.tokens(argument.key(), checkedTokens(argument));
        case LENGTHS, GROUPS, VOCABULARY -> {}
      }
    }
    return batch.build();
  }

  /** Where each row's tokens begin; nowhere for a sequence whose tokens nothing reads. */
  private int[] offsets(String sequence) {
    int[] given = offsets.get(sequence);
    return given != null ? given : new int[rows + 1];
  }

  private Signature.Input input(Argument argument) {
    return signature.inputs().stream()
        .filter(i -> i.name().equals(argument.key()))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no input " + argument.key()));
  }

  private Column checked(Argument argument) {
    Signature.Input input = input(argument);
    Column column = columns.get(argument.key());
    if (column == null) {
      Optional<Signature.State> state = signature.stateOf(input);
      if (state.isPresent()) {
        return new Column.Doubles(new double[] {state.get().initial()});
      }
      throw missing(argument, what(input) + ", " + shape(count(argument, input)));
    }
    // Of logits there are too many to look at each; what is wrong with them shows in the loss.
    if (input.role() != Signature.Role.LOGITS) {
      requireNumbers(argument, input, column);
    }
    return column;
  }

  private int count(Argument argument, Signature.Input input) {
    long count =
        switch (input.level()) {
          case BATCH -> 1;
          case GROUP -> groups.map(ids -> Arrays.stream(ids).distinct().count()).orElse(0L);
          case PAIR, SEQUENCE -> rows;
          case TOKEN -> offsets(input.sequence())[rows];
          case VOCAB -> (long) offsets(input.sequence())[rows] * vocabulary;
        };
    count *= Math.max(1, input.members());
    if (count > Integer.MAX_VALUE - 8) {
      throw failure(argument, "would need " + count + " numbers, more than one column can hold");
    }
    return (int) count;
  }

  /** What belongs into an input, such as {@code one number per token of `chosen`}. */
  private String what(Signature.Input input) {
    String of = signature.sequences().size() > 1 ? " of `" + input.sequence() + "`" : "";
    int tokens = offsets(input.sequence())[rows];
    String members = input.members() > 0 ? " for each of " + input.members() + " members" : "";
    return switch (input.level()) {
      case BATCH -> "one number";
      case GROUP -> "one number per group" + members;
      case PAIR -> "one number per pair" + members;
      case SEQUENCE -> "one number per row" + of + members;
      case TOKEN ->
          "one number per token" + of + members + " (" + tokens + " in " + rows + " rows)";
      case VOCAB ->
          "%d numbers per token%s%s (%d in %d rows)"
              .formatted(vocabulary, of, members, tokens, rows);
    };
  }

  private int[] checkedTokens(Argument argument) {
    String sequence = argument.key();
    int[] taken = tokens.get(sequence);
    int count = offsets(sequence)[rows];
    String what = "one taken token per position";
    if (taken == null) {
      throw missing(argument, what + ", " + shape(count));
    }
    requireShape(argument, taken.length, count, what);
    for (int t = 0; t < count; t++) {
      if (taken[t] < 0 || taken[t] >= vocabulary) {
        throw failure(
            argument,
            "has %d at position %d, which is not in the vocabulary of %d"
                .formatted(taken[t], t, vocabulary));
      }
    }
    return taken;
  }

  private void requireNumbers(Argument argument, Signature.Input input, Column column) {
    boolean logProbability = input.role() == Signature.Role.LOG_PROBABILITY;
    double most =
        !logProbability
            ? Double.MAX_VALUE
            : switch (column.type()) {
              case F64 -> 1e-9;
              case F32 -> 1e-4;
              // Rounding of logits up to 64, from which it was computed.
              case F16 -> 0.1;
              case BF16 -> 0.5;
            };
    for (int i = 0; i < column.length(); i++) {
      double value = column.get(i);
      if (!(value <= most)) {
        throw failure(
            argument,
            "has "
                + value
                + " at "
                + i
                + (logProbability && value > 0
                    ? ", and no logarithm of a probability is above 0"
                    : ", which is not a number to calculate with"));
      }
    }
  }

  private void requireShape(Argument argument, int found, int expected, String what) {
    if (found != expected) {
      throw failure(
          argument,
          "must have the shape " + shape(expected) + ", " + what + "; it has " + shape(found));
    }
  }

  private static String shape(int length) {
    return "[" + length + "]";
  }

  private Argument argument(Argument.Kind kind, String key) {
    return declared.stream()
        .filter(a -> a.kind() == kind && a.key().equals(key))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no argument for " + kind + " " + key));
  }

  private EvaluationException missing(Argument argument, String what) {
    return failure(argument, "is missing: " + what);
  }

  private EvaluationException failure(Argument argument, String what) {
    return EvaluationException.at(
        argument.place(), "`" + argument.name() + "` of `" + signature.objective() + "` " + what);
  }
}
