package org.alignlang.compiler.explain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.explain.Notation.Symbol;
import org.alignlang.kernel.Level;

/** Expressions of a spec as mathematics, close to how they are written. */
final class WrittenNotation {
  private final Map<String, Symbol> actors = new HashMap<>();
  private final Map<String, String> columns = new HashMap<>();
  private final Set<String> sequences = new HashSet<>();
  private final Set<String> divergences = new HashSet<>();
  private final Set<String> preferences = new HashSet<>();
  private final boolean paired;
  private Symbol row = Symbols.row(List.of("chosen", "rejected"));
  private Symbol source = Symbols.DATA;
  private Symbol policy = Symbols.actor("pi", true);

  WrittenNotation(List<Statement> statements, List<Declaration.Parameter> parameters) {
    boolean pairs = false;
    List<String> drawn = new ArrayList<>();
    Set<Symbol> drawers = new LinkedHashSet<>();
    for (Statement statement : statements) {
      switch (statement) {
        case Statement.Actor actor -> {
          boolean trained = actor.role() == Statement.Role.POLICY;
          Symbol symbol = Symbols.actor(actor.name(), trained);
          actors.put(actor.name(), symbol);
          policy = trained ? symbol : policy;
        }
        case Statement.Column column ->
            columns.put(
                column.name(),
                column.type().map(Declaration.TypeExpression::name).orElse("sequence"));
        case Statement.Pairs p -> {
          pairs = true;
          sequences.add(p.chosen());
          sequences.add(p.rejected());
        }
        case Statement.Sample sample -> {
          pairs |= sample.sequences().size() > 1;
          sequences.addAll(sample.sequences());
          drawn.addAll(sample.sequences());
          drawers.add(Symbols.actor(sample.actor(), false));
        }
        case Statement.Preference preference -> preferences.add(preference.name());
        case Statement.Ranked ranked -> {
          pairs = true;
          sequences.add(ranked.sequence());
          row = Symbols.row(Statement.members(ranked.sequence(), ranked.count()));
        }
        default -> {}
      }
    }
    if (!drawn.isEmpty()) {
      row = Symbols.row(drawn);
      source =
          Notation.symbol(
              String.join(",", drawers.stream().map(Symbol::unicode).toList()),
              String.join(", ", drawers.stream().map(Symbol::latex).toList()));
    }
    paired = pairs;
    sequences.add("y");
    for (Declaration.Parameter parameter : parameters) {
      if (parameter.type().filter(t -> t.name().equals("Divergence")).isPresent()) {
        divergences.add(parameter.name());
      }
    }
  }

  /** The same, where an estimator sees it: its reward is a value, `pi` and `old` are there. */
  static WrittenNotation ofEstimator(Declaration.EstimatorDeclaration estimator) {
    WrittenNotation notation = new WrittenNotation(List.of(), estimator.parameters());
    notation.actors.put("pi", Symbols.actor("pi", true));
    notation.actors.put("old", Symbols.actor("old", false));
    notation.actors.put("ref", Symbols.actor("ref", false));
    notation.columns.put(estimator.reward(), "sequence");
    return notation;
  }

  Symbol policy() {
    return policy;
  }

  Notation of(Expression e) {
    return switch (e) {
      case Expression.NumberLiteral number -> Notation.number(number.value());
      case Expression.TruthLiteral truth -> new Notation.Words(Boolean.toString(truth.value()));
      case Expression.TextLiteral text -> new Notation.Words("“" + text.value() + "”");
      case Expression.ListLiteral list ->
          new Notation.Enclosed(
              Notation.symbol("[", "["),
              Symbols.list(list.elements().stream().map(this::of).toList()),
              Symbols.BRACKET_CLOSE);
      case Expression.NameReference name -> name(name.name());
      case Expression.Negated negated -> minus(of(negated.operand()));
      case Expression.Not not ->
          new Notation.Applied(Notation.symbol("¬", "\\lnot"), of(not.operand()));
      case Expression.Binary binary -> binary(binary);
      case Expression.Conditional c ->
          new Notation.Cases(of(c.condition()), of(c.yes()), of(c.no()));
      case Expression.Gated g ->
          new Notation.Cases(of(g.condition()), of(g.value()), Notation.number(0));
      case Expression.Member member -> member(member);
      case Expression.Call call -> call(call);
      case Expression.Index index ->
          index.target() instanceof Expression.NameReference name && name.name().equals("E")
              ? Symbols.expectation(policy, of(index.indices().getFirst()))
              : new Notation.Words(index.span().text());
      case Expression.Accepted accepted -> of(accepted.value());
    };
  }

  private Notation name(String name) {
    if (actors.containsKey(name)) {
      return actors.getOrDefault(name, policy);
    }
    if (sequences.contains(name)) {
      return Symbols.sequence(name);
    }
    String level = columns.get(name);
    if (level != null && !paired) {
      return applied(name, Symbols.sequence("y"), level);
    }
    return level == null ? Symbols.name(name) : Symbols.function(name);
  }

  private static Notation applied(String name, Symbol sequence, String level) {
    boolean token = level.equals("token") || level.equals("step");
    return new Notation.Called(
        Symbols.function(name), List.of(token ? Symbols.token(sequence) : sequence));
  }

  private Notation binary(Expression.Binary binary) {
    Notation left = of(binary.left());
    Notation right = of(binary.right());
    return switch (binary.operator()) {
      case PLUS -> Notation.sum(left, right);
      case MINUS -> Notation.sum(left, minus(right));
      case TIMES -> Notation.product(left, right);
      case DIVIDE -> Notation.quotient(left, right);
      case POWER -> new Notation.Power(left, right);
      case LESS -> relation(left, "<", "<", right);
      case LESS_EQUAL -> relation(left, "≤", "\\le", right);
      case GREATER -> relation(left, ">", ">", right);
      case GREATER_EQUAL -> relation(left, "≥", "\\ge", right);
      case EQUAL -> relation(left, "=", "=", right);
      case NOT_EQUAL -> relation(left, "≠", "\\ne", right);
      case AND -> relation(left, "∧", "\\land", right);
      case OR -> relation(left, "∨", "\\lor", right);
    };
  }

  static Notation relation(Notation left, String unicode, String latex, Notation right) {
    return new Notation.Relation(left, Notation.symbol(unicode, latex), right);
  }

  /** A minus sign before a sum stays before it, as it is written. */
  private static Notation minus(Notation x) {
    return x instanceof Notation.Total ? new Notation.Negated(x) : Notation.negated(x);
  }

  private Notation member(Expression.Member member) {
    if (member.target() instanceof Expression.NameReference target) {
      if (sequences.contains(target.name()) || !member.name().matches("link|f|derivative|k[123]")) {
        return member.name().equals("token") || member.name().equals("step")
            ? Symbols.token(Symbols.sequence(target.name()))
            : new Notation.Words(member.span().text());
      }
    }
    String divergence = member.target().span().text();
    String below = Symbols.function(divergence.replace("_", "-")).unicode();
    Symbol symbol =
        switch (member.name()) {
          case "f" -> Notation.symbol("f_" + divergence, "f_{\\text{" + below + "}}");
          case "k1", "k2", "k3" ->
              Notation.symbol(
                  "k" + "₁₂₃".charAt(member.name().charAt(1) - '1'),
                  "k_" + member.name().charAt(1));
          default -> Notation.symbol("f′_" + divergence, "f'_{\\text{" + below + "}}");
        };
    return symbol;
  }

  private Notation call(Expression.Call call) {
    List<Expression.Argument> arguments = call.arguments();
    if (!arguments.isEmpty() && arguments.getFirst().against().isPresent()) {
      return divergence(call);
    }
    if (call.function() instanceof Expression.Index index
        && index.target() instanceof Expression.NameReference reduction
        && !arguments.isEmpty()) {
      List<String> levels = index.indices().stream().map(i -> i.span().text()).toList();
      List<Notation> options =
          arguments.stream()
              .skip(1)
              .map(a ->
                  a.name()
                      .map(n -> relation(Symbols.function(n), "=", "=", of(a.value())))
                      .orElseGet(() -> of(a.value())))
              .toList();
      return reduction(reduction.name(), levels, of(arguments.getFirst().value()), options);
    }
    if (call.function() instanceof Expression.NameReference function
        && preferences.contains(function.name())
        && arguments.size() == 1
        && arguments.getFirst().value() instanceof Expression.Binary compared) {
      boolean greater = compared.operator() == Expression.Operator.GREATER;
      return Symbols.preferred(
          Symbols.function(function.name()),
          of(greater ? compared.left() : compared.right()),
          of(greater ? compared.right() : compared.left()));
    }
    List<Notation> values = arguments.stream().map(a -> of(a.value())).toList();
    if (call.function() instanceof Expression.NameReference function) {
      String name = function.name();
      if (name.equals("occupancy")
          && values.size() == 1
          && arguments.getFirst().value() instanceof Expression.NameReference of
          && actors.containsKey(of.name())) {
        return Symbols.occupancy(of.name(), values.getFirst().equals(policy));
      }
      Symbol actor = actors.get(name);
      if (actor != null && values.size() == 1) {
        boolean vocab =
            arguments.getFirst().value() instanceof Expression.Member m && m.name().equals("vocab");
        return vocab
            ? Symbols.distribution(actor, Symbols.ANY)
            : new Notation.Called(actor, values);
      }
      String level = columns.get(name);
      if (level != null && values.size() == 1 && values.getFirst() instanceof Symbol sequence) {
        return applied(name, sequence, level);
      }
      return builtin(name, values)
          .orElseGet(() -> new Notation.Called(Symbols.function(name), values));
    }
    return new Notation.Called(of(call.function()), values);
  }

  private Notation divergence(Expression.Call call) {
    List<Expression.Argument> arguments = call.arguments();
    Expression.Argument first = arguments.getFirst();
    List<String> options = new ArrayList<>();
    arguments.stream()
        .skip(1)
        .forEach(a ->
            options.add(
                (a.name().orElse("").equals("per") ? "per " : "") + a.value().span().text()));
    String name = call.function().span().text();
    Symbol symbol =
        options.isEmpty()
            ? name.equals("KL")
                ? Notation.symbol("KL", "\\operatorname{KL}")
                : divergences.contains(name)
                    ? Symbols.function(name)
                    : Notation.symbol("D_" + name, "D_{\\text{" + name.replace("_", " ") + "}}")
            : Notation.symbol(
                name + "⟨" + String.join(", ", options) + "⟩",
                "\\operatorname{"
                    + name.replaceAll("[^A-Za-z]", "")
                    + "}_{\\text{"
                    + String.join(", ", options)
                    + "}}");
    return new Notation.Called(
        symbol,
        List.of(relation(of(first.value()), "‖", "\\,\\|\\,", of(first.against().orElseThrow()))));
  }

  private static Optional<Notation> builtin(String name, List<Notation> x) {
    if (x.isEmpty()) {
      return Optional.empty();
    }
    Notation first = x.getFirst();
    return Optional.ofNullable(
        switch (name) {
          case "log" -> Symbols.log(first);
          case "exp" -> Symbols.exp(first);
          case "log_sigmoid" -> Symbols.logSigmoid(first);
          case "sigmoid" -> new Notation.Called(Symbols.SIGMOID, x);
          case "abs" -> Symbols.absolute(first);
          case "sqrt" -> GraphNotation.root(first);
          case "stop" -> Symbols.stopped(first);
          case "length" -> first instanceof Symbol s ? Symbols.length(s) : first;
          case "clamp" -> new Notation.Called(Symbols.function("clip"), x);
          case "relu" ->
              new Notation.Called(
                  Notation.symbol("max", "\\max"), List.of(new Notation.Number(0), first));
          case "max", "min" -> new Notation.Called(Notation.symbol(name, "\\" + name), x);
          case "entropy" -> new Notation.Called(Notation.symbol("H", "\\mathrm{H}"), x);
          case "expm1" -> Notation.difference(Symbols.exp(first), new Notation.Number(1));
          case "log1p" -> Symbols.log(Notation.sum(new Notation.Number(1), first));
          case "tanh" -> new Notation.Called(Notation.symbol("tanh", "\\tanh"), x);
          default -> null;
        });
  }

  private Notation reduction(String name, List<String> levels, Notation x, List<Notation> options) {
    Symbol y = Symbols.sequence("y");
    if (!options.isEmpty()) {
      List<Notation> all = new ArrayList<>(List.of(x));
      all.addAll(options);
      return new Notation.Called(below(name, levels), all);
    }
    if (name.equals("mean") && levels.equals(List.of("pair"))) {
      return Symbols.overRows(row, source, x);
    }
    if (name.equals("mean") && levels.equals(List.of("sequence"))) {
      return Notation.product(
          new Notation.Quotient(new Notation.Number(1), Symbols.ROWS),
          new Notation.Large(Symbols.sumOver(Level.SEQUENCE, y), x));
    }
    if (name.equals("mean") && levels.equals(List.of("token"))) {
      Notation count = paired ? Notation.symbol("T", "T") : Symbols.length(y);
      return Notation.product(
          new Notation.Quotient(new Notation.Number(1), count),
          new Notation.Large(Symbols.sumOver(Level.TOKEN, y), x));
    }
    if (name.equals("mean") && levels.equals(List.of("token", "sequence"))) {
      return Notation.product(
          new Notation.Quotient(
              new Notation.Number(1),
              new Notation.Large(Symbols.sumOver(Level.SEQUENCE, y), Symbols.length(y))),
          new Notation.Large(Notation.symbol("∑_y,t", "\\sum_{y,t}"), x));
    }
    if (name.equals("sum") && levels.size() == 1) {
      switch (levels.getFirst()) {
        case "token", "step" -> {
          return new Notation.Large(Symbols.sumOver(Level.TOKEN, y), x);
        }
        case "vocab" -> {
          return new Notation.Large(Symbols.sumOver(Level.VOCAB, y), x);
        }
        case "sequence" -> {
          return new Notation.Large(Symbols.sumOver(Level.SEQUENCE, y), x);
        }
        default -> {}
      }
    }
    return new Notation.Called(below(name, levels), List.of(x));
  }

  private static Symbol below(String name, List<String> levels) {
    String below = String.join(",", levels);
    return Notation.symbol(
        name + "_" + below, "\\operatorname{" + name + "}_{\\text{" + below + "}}");
  }
}
