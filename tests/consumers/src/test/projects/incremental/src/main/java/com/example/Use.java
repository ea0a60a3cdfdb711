package com.example;

/** Refers to a generated class, so that it is compiled with it. */
public final class Use {
  private Use() {}

  /** The loss of one pair. */
  public static double loss(double[] chosen, double[] rejected) {
    return Pair.withDefaults()
        .evaluate(
            Pair.inputs(1)
                .chosenLengths(new int[] {chosen.length})
                .rejectedLengths(new int[] {rejected.length})
                .chosenLogp(chosen)
                .rejectedLogp(rejected)
                .build())
        .loss();
  }
}
