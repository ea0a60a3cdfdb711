package org.alignlang.compiler.symbolic;

/** What a {@link Term} multiplies. */
public sealed interface Atom {

  /** The variable u, a ratio of densities, always positive. */
  record U() implements Atom {}

  /** The natural logarithm of a sum that is not constant; positive factors have been split off. */
  record Log(Sum argument) implements Atom {}

  /** The absolute value of a sum whose sign is not known. */
  record Abs(Sum argument) implements Atom {}

  /** The sign of a sum, where it is not known: -1, 0 or 1. */
  record Sign(Sum argument) implements Atom {}

  /** The exponential of a sum without constant term and without multiples of logarithms. */
  record Exp(Sum argument) implements Atom {}

  /**
   * A sum of at least two terms without common factor, where it is raised to a power that does not
   * expand.
   */
  record Group(Sum base) implements Atom {}
}
