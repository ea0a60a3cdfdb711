package org.alignlang.tornado;

import java.util.List;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Where a program on a device finds what it reads, and where it leaves what it finds. Arrays hold
 * one number per element for every slot, slot after slot.
 *
 * @param signature what the objective reads and writes
 * @param columns the slots of columns, other than logits
 * @param constants what follows parameters, multipliers and columns of the batch in the scalars:
 *     numbers that are not finite, which kernels cannot hold as literals
 * @param batchValues the number of slots of values of the batch
 * @param groupValues the number of slots of values of groups
 * @param rowValues the number of slots of values of rows
 * @param tokenValues per sequence, the number of slots of values of tokens
 * @param loss where the loss is
 * @param metrics where the metrics are
 * @param violations where the violations are
 * @param gradients where gradients are, other than those of logits
 * @param checks what must be positive
 * @param tasks the kernels, in the order in which they run
 */
public record DeviceLayout(
    Signature signature,
    List<Slot> columns,
    List<Double> constants,
    int batchValues,
    int groupValues,
    int rowValues,
    List<Integer> tokenValues,
    Result loss,
    List<Result> metrics,
    List<Result> violations,
    List<Slot> gradients,
    List<Check> checks,
    List<Task> tasks) {

  /**
   * The most threads of a group, a power of two. Devices that run fewer are refused; on an H100
   * groups of 512 and of 1024 are slower, as more threads wait for each other.
   */
  public static final int MOST_LANES = 256;

  /** The positions in the array of sizes; the number of tokens of each sequence follows. */
  public static final int ROWS = 0;

  public static final int GROUPS = 1;
  public static final int VOCABULARY = 2;

  /** A number that differs from call to call; see {@link #evidence}. */
  public static final int CALL = 3;

  public static final int TOKENS = 4;

  public DeviceLayout {
    columns = List.copyOf(columns);
    constants = List.copyOf(constants);
    tokenValues = List.copyOf(tokenValues);
    metrics = List.copyOf(metrics);
    violations = List.copyOf(violations);
    gradients = List.copyOf(gradients);
    checks = List.copyOf(checks);
    tasks = List.copyOf(tasks);
  }

  /**
   * What the last thread of a kernel writes, to show that it ran in this call with the threads that
   * it was to have: TornadoVM falls back to one thread of plain Java, or goes on after a failed
   * launch, without an error.
   *
   * @param call the number of the call
   * @param threads the number of threads of all groups
   * @param lane the thread's number in its group
   */
  public static int evidence(int call, int threads, int lane) {
    return call + threads + lane;
  }

  /**
   * Where the numbers of an input or gradient are.
   *
   * @param input the contract name
   * @param level one number for each of these; {@code SEQUENCE} for rows of pairs, too
   * @param sequence the sequence of token-level numbers, else empty
   * @param slot the first of its slots; for columns of the batch, from the first of them
   * @param members how many slots it takes: one, or one per member
   */
  public record Slot(String input, Level level, String sequence, int slot, int members) {}

  /** How many scalars go in: parameters, multipliers, columns of the batch, constants. */
  int scalars() {
    return firstConstant() + constants.size();
  }

  /** Where the constants begin among the scalars. */
  int firstConstant() {
    return signature.parameters().size()
        + signature.constraints().size()
        + columnSlots(Level.BATCH, "");
  }

  /** How many slots the columns of a level take. */
  int columnSlots(Level level, String sequence) {
    return slots(columns, level, sequence);
  }

  /** How many slots the gradients of a sequence's tokens take. */
  int gradientSlots(String sequence) {
    return slots(gradients, Level.TOKEN, sequence);
  }

  private static int slots(List<Slot> all, Level level, String sequence) {
    return all.stream()
        .filter(s -> s.level() == level && s.sequence().equals(sequence))
        .mapToInt(s -> s.slot() + s.members())
        .max()
        .orElse(0);
  }

  /**
   * Where a scalar result is.
   *
   * @param given whether it is among the scalars that went in, and not computed
   * @param slot its position there, or among the values of the batch
   */
  public record Result(boolean given, int slot) {}

  /**
   * A value that must be positive: its slot holds 1 where it is not.
   *
   * @param place the line of the spec
   * @param what what to say
   * @param level one number for each of these
   * @param sequence the sequence of a token-level value
   * @param slot where it is, among the values of its level
   */
  public record Check(String place, String what, Level level, String sequence, int slot) {}

  /**
   * A kernel.
   *
   * @param name the name of its method
   * @param level a group of threads works on each row ({@code SEQUENCE}), on each token ({@code
   *     TOKEN}), or on all ({@code BATCH})
   * @param sequence the sequence whose tokens they are
   */
  public record Task(String name, Level level, String sequence) {

    /**
     * How many threads a group has: a power of two, so many that each has some eight elements to go
     * through, if that is not too many.
     *
     * @param elements how many elements a group goes through: rows, tokens or logits
     */
    static int lanes(int elements) {
      int lanes = 32;
      while (2 * lanes <= MOST_LANES && 2 * lanes * 8L <= elements) {
        lanes *= 2;
      }
      return lanes;
    }
  }
}
