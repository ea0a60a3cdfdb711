package org.alignlang.compiler.format;

import java.util.ArrayList;
import java.util.List;

/**
 * A text with the places where it may be broken (Wadler, "A prettier printer", 2003).
 *
 * <p>Each knows how wide it is on one line, and how wide it is up to its first possible break, so
 * that laying it out takes one pass.
 */
sealed interface Doc {
  /** The width of what cannot stand on one line. */
  int ENDLESS = 1 << 28;

  Doc EMPTY = new Sequence(List.of(), 0, 0, false);

  /** The width on one line, {@link #ENDLESS} if something in it ends the line. */
  int width();

  /** The width up to the first possible break. */
  int lead();

  /** Whether it can be broken at all. */
  boolean breakable();

  /** A piece of a line. */
  record Text(String text, int width) implements Doc {
    @Override
    public int lead() {
      return width;
    }

    @Override
    public boolean breakable() {
      return false;
    }
  }

  /** Spaces that align what follows; none where a line has just begun. */
  record Padding(int width) implements Doc {
    @Override
    public int lead() {
      return width;
    }

    @Override
    public boolean breakable() {
      return false;
    }
  }

  /** A line break, or {@code flat} where its group fits on one line. */
  record Line(String flat, boolean hard) implements Doc {
    @Override
    public int width() {
      return hard ? ENDLESS : flat.length();
    }

    @Override
    public int lead() {
      return 0;
    }

    @Override
    public boolean breakable() {
      return true;
    }
  }

  /** A comment, which ends its line; behind what stands there, or on a line of its own. */
  record Comment(String text, boolean alone) implements Doc {
    @Override
    public int width() {
      return ENDLESS;
    }

    @Override
    public int lead() {
      return 0;
    }

    @Override
    public boolean breakable() {
      return true;
    }
  }

  record Sequence(List<Doc> parts, int width, int lead, boolean breakable) implements Doc {}

  /** Lines broken within are indented further. */
  record Nest(int indent, Doc content) implements Doc {
    @Override
    public int width() {
      return content.width();
    }

    @Override
    public int lead() {
      return content.lead();
    }

    @Override
    public boolean breakable() {
      return content.breakable();
    }
  }

  /** All its own line breaks are taken, or none. */
  record Group(Doc content) implements Doc {
    @Override
    public int width() {
      return content.width();
    }

    @Override
    public int lead() {
      return content.lead();
    }

    @Override
    public boolean breakable() {
      return content.breakable();
    }
  }

  static Doc text(String text) {
    return new Text(text, text.codePointCount(0, text.length()));
  }

  static Doc sequence(List<Doc> parts) {
    long width = 0;
    int lead = 0;
    boolean breakable = false;
    for (Doc part : parts) {
      width += part.width();
      if (!breakable) {
        lead = Math.min(ENDLESS, lead + part.lead());
      }
      breakable |= part.breakable();
    }
    return new Sequence(List.copyOf(parts), (int) Math.min(ENDLESS, width), lead, breakable);
  }

  static Doc sequence(Doc... parts) {
    return sequence(List.of(parts));
  }

  static Doc group(Doc... parts) {
    return new Group(sequence(parts));
  }

  static Doc nest(int indent, Doc... parts) {
    return new Nest(indent, sequence(parts));
  }

  /** A space, or a line break. */
  static Doc line() {
    return new Line(" ", false);
  }

  /** Nothing, or a line break. */
  static Doc softLine() {
    return new Line("", false);
  }

  /** Two spaces, or a line break: before a clause at the end of a statement. */
  static Doc clauseLine() {
    return new Line("  ", false);
  }

  static Doc hardLine() {
    return new Line("", true);
  }

  /** Documents with a separator between each two. */
  static List<Doc> separated(List<Doc> items, Doc separator) {
    List<Doc> all = new ArrayList<>();
    for (Doc item : items) {
      if (!all.isEmpty()) {
        all.add(separator);
      }
      all.add(item);
    }
    return all;
  }
}
