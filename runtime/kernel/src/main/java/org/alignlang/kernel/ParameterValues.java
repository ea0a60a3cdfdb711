package org.alignlang.kernel;

/** Checks of the parameters of generated classes; every message names the line of the spec. */
public final class ParameterValues {
  private ParameterValues() {}

  /**
   * A value that must be a finite number.
   *
   * @param place where the spec declares the parameter
   * @param name the parameter and its objective, such as {@code `beta` of `Dpo`}
   * @throws IllegalArgumentException if it is none
   */
  public static double finite(String place, String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(
          place + ": the parameter " + name + " must be a finite number, and not " + value);
    }
    return value;
  }

  /**
   * A value that the compiler needed, so that the formula holds for it alone.
   *
   * @throws IllegalArgumentException if it is another
   */
  public static double fixed(String place, String name, double compiled, double value) {
    if (value != compiled) {
      throw new IllegalArgumentException(
          "%s: the parameter %s was %s when its Java was generated, and is part of the formula; it cannot be %s. Change its default, and generate again"
              .formatted(place, name, compiled, value));
    }
    return value;
  }
}
