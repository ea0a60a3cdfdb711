package org.alignlang.compiler.syntax;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.alignlang.grammar.AlignParser;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;

/**
 * Bounds how deeply a text may be nested, before and after it is parsed.
 *
 * <p>The parser and every phase behind it recurse over expressions. Bounding the depth here, once,
 * is what keeps all of them from overflowing the stack, whatever the text.
 */
final class Nesting {
  /** Open brackets, pending prefix operators, powers and conditionals together. */
  static final int LIMIT = 200;

  /** The height of a tree, which long chains of operators reach: `a + a + a` leans left. */
  static final int HEIGHT_LIMIT = 1_000;

  private Nesting() {}

  /** What is open within one pair of brackets. */
  private static final class Frame {
    int tight;
    int negations;
    int conditions;

    /** Calls and indices of one value in a row, over which prediction takes quadratic time. */
    int calls;

    boolean operand;

    int depth() {
      return 1 + tight + negations + conditions;
    }

    void reset() {
      tight = 0;
      negations = 0;
      conditions = 0;
      calls = 0;
      operand = false;
    }
  }

  /**
   * The first token at which the text is too deep. Counts what the parser will have open, so it
   * knows which operators end the reach of a prefix: any binary one that of a minus, {@code and}
   * that of a {@code not}, and only the end of the expression that of an {@code if}. A minus before
   * a {@code not} or {@code if} lasts as long as that.
   */
  static Optional<AlignToken> tooDeep(List<AlignToken> tokens) {
    Deque<Frame> frames = new ArrayDeque<>();
    Frame frame = new Frame();
    int outside = 0;
    boolean afterDot = false;
    for (AlignToken token : tokens) {
      boolean member = afterDot;
      afterDot = token.getType() == AlignParser.DOT;
      if (member) {
        frame.operand = true;
        continue;
      }
      switch (token.getType()) {
        case AlignParser.LPAREN,
            AlignParser.LBRACKET,
            AlignParser.LINE_LPAREN,
            AlignParser.LINE_LBRACKET,
            AlignParser.LBRACE -> {
          frame.calls = frame.operand ? frame.calls + 1 : 0;
          if (frame.calls > LIMIT) {
            return Optional.of(token);
          }
          outside += frame.depth();
          frames.push(frame);
          frame = new Frame();
        }
        case AlignParser.RPAREN, AlignParser.RBRACKET, AlignParser.RBRACE -> {
          if (!frames.isEmpty()) {
            frame = frames.pop();
            outside -= frame.depth();
          }
          frame.operand = true;
        }
        case AlignParser.MINUS -> {
          if (frame.operand) {
            frame.tight = 0;
          } else {
            frame.tight++;
          }
          frame.operand = false;
        }
        case AlignParser.POWER -> {
          frame.tight++;
          frame.operand = false;
        }
        case AlignParser.NOT -> {
          if (frame.operand) {
            frame.reset();
          }
          frame.negations += 1 + frame.tight;
          frame.tight = 0;
        }
        case AlignParser.IF -> {
          if (frame.operand) {
            frame.reset();
          }
          frame.conditions += 1 + frame.tight + frame.negations;
          frame.tight = 0;
          frame.negations = 0;
        }
        case AlignParser.AND, AlignParser.OR, AlignParser.THEN, AlignParser.ELSE -> {
          frame.tight = 0;
          frame.negations = 0;
          frame.operand = false;
        }
        case AlignParser.PLUS,
            AlignParser.TIMES,
            AlignParser.DIVIDE,
            AlignParser.LESS,
            AlignParser.LESS_EQUAL,
            AlignParser.GREATER,
            AlignParser.GREATER_EQUAL,
            AlignParser.EQUAL,
            AlignParser.NOT_EQUAL -> {
          frame.tight = 0;
          frame.operand = false;
        }
        case AlignParser.DOT -> frame.operand = false;
        case AlignParser.PERCENT -> {}
        case AlignParser.NUMBER,
            AlignParser.TEXT,
            AlignParser.TRUE,
            AlignParser.FALSE,
            AlignParser.NAME,
            AlignParser.AS,
            AlignParser.AT,
            AlignParser.OF,
            AlignParser.TO,
            AlignParser.AGAINST,
            AlignParser.WITHIN,
            AlignParser.GROUP,
            AlignParser.TARGET,
            AlignParser.PAIRS -> {
          if (frame.operand) {
            frame.reset();
          }
          frame.calls = 0;
          frame.operand = true;
        }
        default -> frame.reset();
      }
      if (outside + frame.depth() > LIMIT) {
        return Optional.of(token);
      }
    }
    return Optional.empty();
  }

  /** The token of a tree at which it is too high; walks without recursion. */
  static Optional<Token> tooHigh(ParseTree tree) {
    Deque<ParseTree> nodes = new ArrayDeque<>();
    Deque<Integer> depths = new ArrayDeque<>();
    nodes.push(tree);
    depths.push(0);
    while (!nodes.isEmpty()) {
      ParseTree node = nodes.pop();
      int depth = depths.pop();
      if (depth > HEIGHT_LIMIT && node instanceof AlignParser.ExpressionContext expression) {
        return Optional.of(expression.getStop());
      }
      for (int i = 0; i < node.getChildCount(); i++) {
        if (node.getChild(i).getChildCount() > 0) {
          nodes.push(node.getChild(i));
          depths.push(depth + 1);
        }
      }
    }
    return Optional.empty();
  }
}
