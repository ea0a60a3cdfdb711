package org.alignlang.compiler.ast;

import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.source.Span;

/** A top-level declaration; {@code documentation} is its {@code ///} text, empty without one. */
public sealed interface Declaration {

  Span span();

  /** The span of the declared name. */
  Span nameSpan();

  String name();

  String documentation();

  /** {@code divergence name(parameters) { f(u) = body }}. */
  record DivergenceDeclaration(
      Span span,
      Span nameSpan,
      String name,
      String documentation,
      List<Parameter> parameters,
      String variable,
      Expression body)
      implements Declaration {}

  /** {@code fun name(parameters) = body}, with leading lets in the block form. */
  record FunctionDeclaration(
      Span span,
      Span nameSpan,
      String name,
      String documentation,
      List<Parameter> parameters,
      List<Statement.Let> lets,
      Expression body)
      implements Declaration {}

  /** {@code estimator name(parameters) for reward: type { statements }}. */
  record EstimatorDeclaration(
      Span span,
      Span nameSpan,
      String name,
      String documentation,
      List<Parameter> parameters,
      String reward,
      TypeExpression rewardType,
      List<Statement> statements)
      implements Declaration {}

  /** {@code objective name(parameters) { statements }}. */
  record ObjectiveDeclaration(
      Span span,
      Span nameSpan,
      String name,
      String documentation,
      List<Parameter> parameters,
      List<Statement> statements)
      implements Declaration {}

  /** {@code experiment name { statements }}. */
  record ExperimentDeclaration(
      Span span,
      Span nameSpan,
      String name,
      String documentation,
      List<ExperimentStatement> statements)
      implements Declaration {}

  /** A parameter with its optional type and default. */
  record Parameter(
      Span span, String name, Optional<TypeExpression> type, Optional<Expression> defaultValue) {}

  /** {@code name[size] at level}. */
  record TypeExpression(Span span, String name, int size, Optional<String> level) {}
}
