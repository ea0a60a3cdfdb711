package org.alignlang.runtime.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Calls that are timed in turns: what else the machine does meanwhile falls on all of them, so that
 * their ratios can be trusted where their times cannot.
 */
public final class SideBySide {
  private SideBySide() {}

  /** Something to time. */
  public record Contender(String name, Runnable call) {}

  /**
   * How long calls took.
   *
   * @param name the contender's
   * @param seconds of one call, one number per round, the least first
   */
  public record Timing(String name, double[] seconds) {

    /** The least, which what else the machine did has touched least. */
    public double least() {
      return seconds[0];
    }

    public double median() {
      return seconds[seconds.length / 2];
    }
  }

  /**
   * Times contenders.
   *
   * @param warmUp how long each is called before the first round, so that it is compiled, apart
   *     from its first call; at least one more
   * @param round how long a round of each takes; at least one call
   * @param rounds how many rounds there are, each in another order
   */
  public static List<Timing> measure(
      List<Contender> contenders, Duration warmUp, Duration round, int rounds) {
    int count = contenders.size();
    int[] calls = new int[count];
    for (int c = 0; c < count; c++) {
      double each = warmUp(contenders.get(c).call(), warmUp.toNanos());
      calls[c] = (int) Math.clamp(round.toNanos() / each, 1, 1_000_000);
    }
    double[][] seconds = new double[count][rounds];
    for (int r = 0; r < rounds; r++) {
      for (int turn = 0; turn < count; turn++) {
        int c = (turn + r) % count;
        seconds[c][r] = time(contenders.get(c).call(), calls[c]);
      }
    }
    List<Timing> timings = new ArrayList<>();
    for (int c = 0; c < count; c++) {
      Arrays.sort(seconds[c]);
      timings.add(new Timing(contenders.get(c).name(), seconds[c]));
    }
    return timings;
  }

  /**
   * Calls it for a while; gives the nanoseconds of a call. The first call does not count: where it
   * is long, it is most of it the interpreter's, and compiled code is still to come when it ends.
   */
  private static double warmUp(Runnable call, long nanoseconds) {
    call.run();
    long began = System.nanoTime();
    double least = Double.POSITIVE_INFINITY;
    do {
      least = Math.min(least, 1e9 * time(call, 1));
    } while (System.nanoTime() - began < nanoseconds);
    return Math.max(1, least);
  }

  private static double time(Runnable call, int calls) {
    long began = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      call.run();
    }
    return (System.nanoTime() - began) / 1e9 / calls;
  }
}
