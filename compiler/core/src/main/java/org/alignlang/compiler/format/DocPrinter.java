package org.alignlang.compiler.format;

import java.util.List;

/** Lays documents out within a width. */
final class DocPrinter {
  private static final int WIDTH = 100;

  private final StringBuilder out = new StringBuilder();
  private int column;
  private int indent;
  private boolean lineEnded;

  /** Prints a document as lines of their own. */
  void print(Doc doc, int indentation) {
    newLine();
    indent = indentation;
    print(doc, indentation, false, 0);
  }

  /** Prints a document behind what was printed last. */
  void printBehind(Doc doc) {
    print(doc, 0, false, 0);
  }

  void blankLine() {
    newLine();
    out.append('\n');
  }

  String finish() {
    newLine();
    return out.toString();
  }

  /** Ends the current line, if there is one. */
  private void newLine() {
    if (column > 0) {
      int end = out.length();
      while (end > 0 && out.charAt(end - 1) == ' ') {
        end--;
      }
      out.setLength(end);
      out.append('\n');
      column = 0;
    }
    lineEnded = false;
  }

  private void write(String text, int width) {
    if (lineEnded) {
      newLine();
    }
    if (column == 0) {
      out.repeat(' ', indent);
      column = indent;
    }
    out.append(text);
    column += width;
  }

  /**
   * @param indentation of lines that begin within
   * @param flat whether breaks are not taken
   * @param rest the width of what follows up to the next possible break
   */
  private void print(Doc doc, int indentation, boolean flat, int rest) {
    switch (doc) {
      case Doc.Text text -> write(text.text(), text.width());
      case Doc.Padding padding -> {
        if (!lineEnded && column > 0) {
          write(" ".repeat(padding.width()), padding.width());
        }
      }
      case Doc.Line line -> {
        if (flat && !line.hard()) {
          if (!lineEnded && column > 0 && !line.flat().isEmpty()) {
            write(line.flat(), line.flat().length());
          }
        } else {
          newLine();
          indent = indentation;
        }
      }
      case Doc.Comment comment -> {
        if (comment.alone()) {
          newLine();
          indent = indentation;
          write(comment.text(), comment.text().length());
        } else {
          // A line that a comment has ended can carry no second one.
          write((lineEnded || column == 0 ? "" : "  ") + comment.text(), comment.text().length());
        }
        lineEnded = true;
        indent = indentation;
      }
      case Doc.Sequence sequence -> {
        List<Doc> parts = sequence.parts();
        int[] rests = new int[parts.size()];
        int following = rest;
        for (int i = parts.size() - 1; i >= 0; i--) {
          rests[i] = following;
          Doc part = parts.get(i);
          following =
              part.breakable() ? part.lead() : Math.min(Doc.ENDLESS, following + part.width());
        }
        for (int i = 0; i < parts.size(); i++) {
          print(parts.get(i), indentation, flat, rests[i]);
        }
      }
      case Doc.Nest nest -> print(nest.content(), indentation + nest.indent(), flat, rest);
      case Doc.Group group -> {
        int from = lineEnded || column == 0 ? indent : column;
        boolean fits = (long) from + group.width() + rest <= WIDTH;
        print(group.content(), indentation, flat || fits, rest);
      }
    }
  }
}
