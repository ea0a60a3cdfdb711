package org.alignlang.compiler.syntax;

import org.alignlang.grammar.AlignParser;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.TokenStream;
import org.antlr.v4.runtime.atn.ATN;
import org.antlr.v4.runtime.atn.ATNState;
import org.antlr.v4.runtime.atn.BlockStartState;
import org.antlr.v4.runtime.atn.ParserATNSimulator;
import org.antlr.v4.runtime.atn.PrecedencePredicateTransition;
import org.antlr.v4.runtime.atn.StarLoopEntryState;
import org.antlr.v4.runtime.atn.Transition;

/**
 * Prediction that knows about operators: whether an expression goes on is decided by the next token
 * and its precedence alone, where ANTLR would simulate every way in which the text could go on. It
 * simulates each such place when it first comes to it, which took a third of a short check.
 *
 * <p>Operators are read greedily, as ANTLR reads them. Where a text is not one, in the sense of
 * this, it is parsed again without it.
 */
final class OperatorPrediction extends ParserATNSimulator {
  private static final int GOES_ON = 1;
  private static final int ENDS = 2;

  private final Parser parser;

  OperatorPrediction(Parser parser) {
    super(
        parser,
        parser.getATN(),
        parser.getInterpreter().decisionToDFA,
        parser.getInterpreter().getSharedContextCache());
    this.parser = parser;
  }

  /** What the grammar says of the operators of expressions, by the type of their first token. */
  private static final class Operators {
    static final Operators OF_GRAMMAR = new Operators(AlignParser._ATN);

    final int loop;
    final int choice;
    final int[] alternatives;
    final int[] precedences;

    private Operators(ATN atn) {
      StarLoopEntryState entry =
          atn.states.stream()
              .filter(StarLoopEntryState.class::isInstance)
              .map(StarLoopEntryState.class::cast)
              .filter(s -> s.isPrecedenceDecision && s.ruleIndex == AlignParser.RULE_expression)
              .findFirst()
              .orElseThrow();
      BlockStartState block = (BlockStartState) entry.transition(0).target;
      loop = entry.decision;
      choice = block.decision;
      alternatives = new int[atn.maxTokenType + 1];
      precedences = new int[atn.maxTokenType + 1];
      for (int i = 0; i < block.getNumberOfTransitions(); i++) {
        int precedence = 0;
        Transition transition = block.transition(i);
        while (transition.isEpsilon()) {
          if (transition instanceof PrecedencePredicateTransition predicate) {
            precedence = predicate.precedence;
          }
          ATNState next = transition.target;
          transition = next.transition(0);
        }
        for (int type : transition.label().toArray()) {
          if (alternatives[type] != 0) {
            throw new IllegalStateException("two operators begin with the same token");
          }
          alternatives[type] = i + 1;
          precedences[type] = precedence;
        }
      }
    }
  }

  @Override
  public int adaptivePredict(TokenStream input, int decision, ParserRuleContext outerContext) {
    Operators operators = Operators.OF_GRAMMAR;
    if (decision != operators.loop && decision != operators.choice) {
      return super.adaptivePredict(input, decision, outerContext);
    }
    int type = Math.max(0, input.LA(1));
    int alternative = operators.alternatives[type];
    if (decision == operators.choice) {
      return alternative == 0 ? super.adaptivePredict(input, decision, outerContext) : alternative;
    }
    return alternative != 0 && parser.precpred(outerContext, operators.precedences[type])
        ? GOES_ON
        : ENDS;
  }
}
