package org.alignlang.compiler.syntax;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.alignlang.grammar.AlignParser;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.DefaultErrorStrategy;
import org.antlr.v4.runtime.InputMismatchException;
import org.antlr.v4.runtime.ListTokenSource;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.RuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.atn.ATN;
import org.antlr.v4.runtime.atn.ATNState;
import org.antlr.v4.runtime.atn.PredictionMode;
import org.antlr.v4.runtime.atn.RuleStopState;
import org.antlr.v4.runtime.atn.RuleTransition;
import org.antlr.v4.runtime.atn.Transition;
import org.antlr.v4.runtime.misc.IntervalSet;
import org.jspecify.annotations.Nullable;

/**
 * The generated parser, stopping at the first error with a full account of what could have stood
 * there.
 *
 * <p>ANTLR's own account is what the rule at hand was waiting for. Rules that had just ended because
 * of the wrong token are forgotten, so that {@code f(a {} would ask for a parenthesis and not for a
 * comma; and where it looked ahead, it blames the first token that it looked at. This parser goes
 * back to the last token that it took and follows every way on from there, to the first token that
 * no way can take.
 */
final class SyntaxParser extends AlignParser {
  /** Beyond this many ways on, the account is ANTLR's own. */
  private static final int MOST_WAYS = 2_000;

  private final List<AlignToken> tokens;
  private int taken;
  private ATNState lastState;
  private @Nullable ParserRuleContext lastContext;

  private SyntaxParser(List<AlignToken> tokens, int rule) {
    super(new CommonTokenStream(new ListTokenSource(tokens)));
    this.tokens = tokens;
    this.lastState = getATN().ruleToStartState[rule];
    removeErrorListeners();
    setErrorHandler(new Stop());
  }

  /** What came of parsing. */
  sealed interface Outcome {
    record Tree(ModuleContext module) implements Outcome {}

    /**
     * The first error.
     *
     * @param token the first token that no reading can take
     * @param expected the types of tokens that would have fitted
     * @param statementStart the first token of the statement it is in, or the token itself where a
     *     statement was to begin; empty outside the braces of a declaration with statements
     */
    record Failure(AlignToken token, IntervalSet expected, Optional<AlignToken> statementStart)
        implements Outcome {}
  }

  /** Parses a module; the tokens end with the end of the file. */
  static Outcome parse(List<AlignToken> tokens) {
    return switch (of(tokens).run(PredictionMode.SLL)) {
      case Outcome.Tree tree -> tree;
      // Quick prediction can fail on right texts, and must not decide where wrong ones fail.
      case Outcome.Failure _ -> of(tokens).run(PredictionMode.LL);
    };
  }

  /**
   * Parses an expression that is the whole text.
   *
   * @param tokens ended by the end of the text
   * @param failure receives what is wrong with it
   */
  static Optional<ExpressionContext> parseExpression(
      List<AlignToken> tokens, Consumer<Outcome.Failure> failure) {
    SyntaxParser parser = new SyntaxParser(tokens, RULE_soleExpression);
    parser.getInterpreter().setPredictionMode(PredictionMode.LL);
    try {
      return Optional.of(parser.soleExpression().expression());
    } catch (Stopped stopped) {
      failure.accept(stopped.failure);
      return Optional.empty();
    }
  }

  /** A parser of a module, to be run once. */
  static SyntaxParser of(List<AlignToken> tokens) {
    return new SyntaxParser(tokens, RULE_module);
  }

  /** Parses in the given mode; the quick one may fail on right texts. */
  Outcome run(PredictionMode mode) {
    if (mode == PredictionMode.SLL) {
      setInterpreter(new OperatorPrediction(this));
    }
    getInterpreter().setPredictionMode(mode);
    try {
      return new Outcome.Tree(module());
    } catch (Stopped stopped) {
      return stopped.failure;
    }
  }

  @Override
  public Token consume() {
    lastState = getATN().states.get(getState()).transition(0).target;
    lastContext = getContext();
    Token token = super.consume();
    taken = token.getTokenIndex() + 1;
    return token;
  }

  private Outcome.Failure failure(RecognitionException error) {
    AlignToken token = (AlignToken) error.getOffendingToken();
    Ways ways = Ways.from(getATN(), lastState, lastContext);
    int at = taken;
    Optional<Ways> next = ways.behind(tokens.get(at).getType());
    while (next.isPresent() && next.get().count() < MOST_WAYS && at + 1 < tokens.size()) {
      ways = next.get();
      at++;
      next = ways.behind(tokens.get(at).getType());
    }
    if (next.isEmpty()) {
      token = tokens.get(at);
    }
    IntervalSet expected =
        next.isEmpty() ? ways.expected() : Ways.from(getATN(), lastState, lastContext).expected();
    return new Outcome.Failure(token, expected, statement(tokens.get(taken)));
  }

  /** The start of the statement that the parser is in, or the token where one was to begin. */
  private Optional<AlignToken> statement(AlignToken next) {
    for (ParserRuleContext context = getContext(); context != null; context = context.getParent()) {
      switch (context) {
        case ObjectiveStatementContext _,
            EstimatorStatementContext _,
            ExperimentStatementContext _ -> {
          return Optional.of((AlignToken) context.getStart());
        }
        case ObjectiveDeclarationContext objective when objective.LBRACE() != null -> {
          return Optional.of(next);
        }
        case EstimatorDeclarationContext estimator when estimator.LBRACE() != null -> {
          return Optional.of(next);
        }
        case ExperimentDeclarationContext experiment when experiment.LBRACE() != null -> {
          return Optional.of(next);
        }
        default -> {}
      }
    }
    return Optional.empty();
  }

  /**
   * What will be continued with when a rule ends; two stacks with the same content are the same.
   */
  private record Frame(ATNState follow, @Nullable Frame outer, int hash) {
    Frame(ATNState follow, @Nullable Frame outer) {
      this(follow, outer, 31 * follow.stateNumber + (outer == null ? 0 : outer.hash));
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      // A loop, since stacks are deep; and stacks that differ mostly differ in their hash.
      Frame a = this;
      @Nullable Object b = other;
      while (a != b) {
        if (!(b instanceof Frame frame) || frame.hash != a.hash || frame.follow != a.follow) {
          return false;
        }
        if (a.outer == null || frame.outer == null) {
          return a.outer == frame.outer;
        }
        a = a.outer;
        b = frame.outer;
      }
      return true;
    }
  }

  private record Way(ATNState state, @Nullable Frame stack) {}

  /**
   * Every place in the grammar where the parser could be. Precedence is left out of account: it
   * decides what a text means, never whether it is one.
   */
  private record Ways(ATN atn, Set<Way> ways) {

    static Ways from(ATN atn, ATNState state, @Nullable ParserRuleContext context) {
      Deque<ATNState> follows = new ArrayDeque<>();
      for (@Nullable RuleContext c = context; c != null && c.invokingState >= 0; c = c.parent) {
        follows.push(((RuleTransition) atn.states.get(c.invokingState).transition(0)).followState);
      }
      @Nullable Frame stack = null;
      for (ATNState follow : follows) {
        stack = new Frame(follow, stack);
      }
      return new Ways(atn, closure(Set.of(new Way(state, stack))));
    }

    int count() {
      return ways.size();
    }

    private static Set<Way> closure(Set<Way> from) {
      Set<Way> reached = new LinkedHashSet<>(from);
      Deque<Way> open = new ArrayDeque<>(from);
      while (!open.isEmpty() && reached.size() < 2 * MOST_WAYS) {
        Way way = open.pop();
        if (way.state instanceof RuleStopState) {
          if (way.stack != null) {
            Way returned = new Way(way.stack.follow, way.stack.outer);
            if (reached.add(returned)) {
              open.push(returned);
            }
          }
          continue;
        }
        for (Transition transition : way.state.getTransitions()) {
          @Nullable Way next =
              transition instanceof RuleTransition rule
                  ? new Way(rule.target, new Frame(rule.followState, way.stack))
                  : transition.isEpsilon() ? new Way(transition.target, way.stack) : null;
          if (next != null && reached.add(next)) {
            open.push(next);
          }
        }
      }
      return reached;
    }

    /** The ways behind a token, or empty if none can take it. */
    Optional<Ways> behind(int type) {
      Set<Way> moved = new LinkedHashSet<>();
      for (Way way : ways) {
        for (Transition transition : way.state.getTransitions()) {
          if (!transition.isEpsilon() && transition.matches(type, 0, atn.maxTokenType)) {
            moved.add(new Way(transition.target, way.stack));
          }
        }
      }
      return moved.isEmpty() ? Optional.empty() : Optional.of(new Ways(atn, closure(moved)));
    }

    IntervalSet expected() {
      IntervalSet expected = new IntervalSet();
      for (Way way : ways) {
        for (Transition transition : way.state.getTransitions()) {
          if (!transition.isEpsilon() && transition.label() != null) {
            expected.addAll(transition.label());
          }
        }
      }
      return expected;
    }
  }

  /** Ends the parse. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Outcome.Failure failure;

    Stopped(Outcome.Failure failure) {
      super("syntax error", null, false, false);
      this.failure = failure;
    }
  }

  /** Neither inserts nor deletes tokens: a tree never holds what was not written. */
  private final class Stop extends DefaultErrorStrategy {
    @Override
    public void recover(Parser recognizer, RecognitionException e) {
      throw new Stopped(failure(e));
    }

    @Override
    public void reportError(Parser recognizer, RecognitionException e) {}

    @Override
    public Token recoverInline(Parser recognizer) {
      throw new Stopped(failure(new InputMismatchException(recognizer)));
    }

    @Override
    public void sync(Parser recognizer) {}
  }
}
