package org.alignlang.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.Token;
import org.junit.jupiter.api.Test;

class GrammarTest {
  @Test
  void theParserUsesTheLexersTokens() {
    AlignLexer lexer = new AlignLexer(CharStreams.fromString(""));

    assertThat(lexer.nextToken().getType()).isEqualTo(Token.EOF);
    assertThat(AlignLexer.VOCABULARY.getMaxTokenType())
        .isPositive()
        .isEqualTo(AlignParser.VOCABULARY.getMaxTokenType());
  }
}
