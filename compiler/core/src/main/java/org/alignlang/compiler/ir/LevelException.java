package org.alignlang.compiler.ir;

/** Two values cannot meet: neither level contains the other. */
public final class LevelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Domain first;
  private final transient Domain second;

  public LevelException(Domain first, Domain second) {
    super(first.describe() + " and " + second.describe() + " do not meet");
    this.first = first;
    this.second = second;
  }

  public Domain first() {
    return first;
  }

  public Domain second() {
    return second;
  }
}
