package org.alignlang.compiler.ir;

import org.alignlang.kernel.Level;

/**
 * Where a value lives: its level, and for sequence level and finer the sequence that owns it.
 *
 * @param level the level
 * @param owner the sequence's name; empty at batch, group and pair level
 */
public record Domain(Level level, String owner) {
  public static final Domain BATCH = new Domain(Level.BATCH, "");
  public static final Domain GROUP = new Domain(Level.GROUP, "");
  public static final Domain PAIR = new Domain(Level.PAIR, "");

  public Domain {
    if (owner.isEmpty() != (level.compareTo(Level.PAIR) <= 0)) {
      throw new IllegalArgumentException("owner `" + owner + "` at " + level);
    }
  }

  public static Domain sequence(String owner) {
    return new Domain(Level.SEQUENCE, owner);
  }

  public static Domain token(String owner) {
    return new Domain(Level.TOKEN, owner);
  }

  public static Domain vocab(String owner) {
    return new Domain(Level.VOCAB, owner);
  }

  /** Whether one value belongs to each row: sequence or pair level. */
  public boolean isRow() {
    return level == Level.SEQUENCE || level == Level.PAIR;
  }

  /** Whether a value here can be used at the other domain without a reduction. */
  public boolean broadcastsTo(Domain finer) {
    if (level.compareTo(finer.level) > 0) {
      return false;
    }
    return level.compareTo(Level.SEQUENCE) < 0 || owner.equals(finer.owner);
  }

  /** The level in words, with its owner where that helps. */
  public String describe() {
    return owner.isEmpty() || owner.equals("y")
        ? level.word() + " level"
        : level.word() + " level of `" + owner + "`";
  }

  @Override
  public String toString() {
    return owner.isEmpty() ? level.word() : level.word() + "(" + owner + ")";
  }
}
