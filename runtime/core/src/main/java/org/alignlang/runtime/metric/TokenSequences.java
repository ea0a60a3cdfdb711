package org.alignlang.runtime.metric;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** How alike sequences of tokens are. */
public final class TokenSequences {
  private TokenSequences() {}

  /**
   * Levenshtein's distance divided by the longer length: 0 for equal sequences, 1 where no token
   * stays.
   */
  public static double editDistance(int[] a, int[] b) {
    if (a.length == 0 && b.length == 0) {
      return 0;
    }
    int[] above = new int[b.length + 1];
    Arrays.setAll(above, j -> j);
    for (int i = 1; i <= a.length; i++) {
      int[] row = new int[b.length + 1];
      row[0] = i;
      for (int j = 1; j <= b.length; j++) {
        int replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
      }
      above = row;
    }
    return (double) above[b.length] / Math.max(a.length, b.length);
  }

  /**
   * The share of common runs of {@code n} tokens, each as often as both have it: twice their number
   * over the number in both (Dice; the F1 of ROUGE-n, Lin 2004). 0 where one has none, 1 where
   * neither has.
   */
  public static double similarity(int[] a, int[] b, int n) {
    Map<List<Integer>, Integer> left = counts(a, n);
    Map<List<Integer>, Integer> right = counts(b, n);
    int runs = Math.max(a.length - n + 1, 0) + Math.max(b.length - n + 1, 0);
    if (runs == 0) {
      return 1;
    }
    int common = 0;
    for (Map.Entry<List<Integer>, Integer> run : left.entrySet()) {
      common += Math.min(run.getValue(), right.getOrDefault(run.getKey(), 0));
    }
    return 2.0 * common / runs;
  }

  /**
   * How many different runs of {@code n} tokens a set of sequences has, divided by how many runs it
   * has (distinct-n, Li et al. 2016). NaN where no sequence is that long.
   */
  public static double distinct(List<int[]> sequences, int n) {
    Set<List<Integer>> seen = new HashSet<>();
    int runs = 0;
    for (int[] sequence : sequences) {
      Map<List<Integer>, Integer> counts = counts(sequence, n);
      seen.addAll(counts.keySet());
      runs += Math.max(sequence.length - n + 1, 0);
    }
    return runs == 0 ? Double.NaN : (double) seen.size() / runs;
  }

  private static Map<List<Integer>, Integer> counts(int[] tokens, int n) {
    Map<List<Integer>, Integer> counts = new HashMap<>();
    for (int from = 0; from + n <= tokens.length; from++) {
      counts.merge(Arrays.stream(tokens, from, from + n).boxed().toList(), 1, Integer::sum);
    }
    return counts;
  }
}
