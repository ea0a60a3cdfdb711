package org.alignlang.kernel;

/**
 * One argument of a generated class: what a caller hands in under a Java name.
 *
 * @param kind what it is
 * @param key the contract name of an input, or the name of a sequence; empty for what the batch has
 *     once
 * @param name what the method is called that takes it
 * @param place where the spec declares it, as {@code path:line:column}
 */
public record Argument(Kind kind, String key, String name, String place) {

  /** What an argument is. */
  public enum Kind {
    /** The numbers of an input. */
    COLUMN,
    /** How many tokens each row of a sequence has. */
    LENGTHS,
    /** The taken tokens of a sequence. */
    TOKENS,
    /** The group of each row. */
    GROUPS,
    /** The size of the vocabulary. */
    VOCABULARY
  }
}
