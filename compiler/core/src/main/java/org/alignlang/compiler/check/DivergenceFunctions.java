package org.alignlang.compiler.check;

import java.util.Map;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.symbolic.Sum;

/** Turns the {@code f(u) = ...} of a divergence into a symbolic expression in u. */
final class DivergenceFunctions {
  private DivergenceFunctions() {}

  static Sum convert(
      CheckContext context,
      Declaration.DivergenceDeclaration declaration,
      Map<String, Double> parameters) {
    return convert(context, declaration.body(), declaration.variable(), parameters);
  }

  private static Sum convert(
      CheckContext context, Expression e, String variable, Map<String, Double> parameters) {
    context.step(e.span());
    return switch (e) {
      case Expression.NumberLiteral number -> Sum.constant(number.value());
      case Expression.NameReference name -> {
        if (name.name().equals(variable)) {
          yield Sum.variable();
        }
        Double value = parameters.get(name.name());
        if (value == null) {
          throw context.unknown(
              name.span(), "name in this divergence", name.name(), parameters.keySet());
        }
        yield Sum.constant(value);
      }
      case Expression.Negated negated ->
          convert(context, negated.operand(), variable, parameters).negated();
      case Expression.Binary binary -> {
        Sum left = convert(context, binary.left(), variable, parameters);
        Sum right = convert(context, binary.right(), variable, parameters);
        yield switch (binary.operator()) {
          case PLUS -> left.plus(right);
          case MINUS -> left.minus(right);
          case TIMES -> left.times(right);
          case DIVIDE -> left.dividedBy(right);
          case POWER -> {
            if (!right.isNumber()) {
              throw unsupported(context, binary, "an exponent that depends on u");
            }
            yield left.power(right.constantTerm());
          }
          case LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL, AND, OR ->
              throw unsupported(context, binary, "a comparison");
        };
      }
      case Expression.Call call -> {
        if (!(call.function() instanceof Expression.NameReference function)
            || call.arguments().stream()
                .anyMatch(a -> a.name().isPresent() || a.against().isPresent())) {
          throw unsupported(context, call, "this call");
        }
        Sum[] arguments =
            call.arguments().stream()
                .map(a -> convert(context, a.value(), variable, parameters))
                .toArray(Sum[]::new);
        if (arguments.length == 1) {
          yield switch (function.name()) {
            case "log" -> arguments[0].log();
            case "exp" -> arguments[0].exp();
            case "sqrt" -> arguments[0].sqrt();
            case "abs" -> arguments[0].abs();
            default -> throw unsupported(context, call, "`" + function.name() + "`");
          };
        }
        if (arguments.length == 2) {
          yield switch (function.name()) {
            case "max" -> arguments[0].max(arguments[1]);
            case "min" -> arguments[0].min(arguments[1]);
            default -> throw unsupported(context, call, "`" + function.name() + "`");
          };
        }
        throw unsupported(context, call, "this call");
      }
      case Expression.TextLiteral _,
          Expression.TruthLiteral _,
          Expression.ListLiteral _,
          Expression.Not _,
          Expression.Conditional _,
          Expression.Gated _,
          Expression.Member _,
          Expression.Index _,
          Expression.Accepted _ ->
          throw unsupported(context, e, "this form");
    };
  }

  private static Abandoned unsupported(CheckContext context, Expression e, String what) {
    return context.fail(
        DiagnosticCode.BAD_DIVERGENCE,
        e.span(),
        "a divergence cannot be derived through " + what,
        "f may use + - * / ^, log, exp, sqrt, abs, max and min of u, numbers and parameters");
  }
}
