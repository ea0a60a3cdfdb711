package org.alignlang.compiler.check;

import static org.alignlang.compiler.diagnostic.DiagnosticCode.FIXED_PARAMETER;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.OWNERS_MEET;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNGUARDED_DIVISION;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNKNOWN_NAME;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_ARGUMENTS;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_KIND;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_THING;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.LevelException;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Elaborates expressions: names to what they stand for, functions inlined where they are called,
 * values to graph nodes. A positive quantity ({@link Kind#PROB}) is held as its logarithm for as
 * long as only products, quotients, powers, sums and logarithms are taken of it.
 */
final class ExpressionChecker {
  private final CheckContext context;
  private final GraphBuilder b;
  private final BuiltinFunctions builtins;
  private final DivergenceTerms divergences;

  ExpressionChecker(CheckContext context) {
    this.context = context;
    this.b = context.builder;
    this.builtins = new BuiltinFunctions(context, this);
    this.divergences = new DivergenceTerms(context, this);
  }

  DivergenceTerms divergences() {
    return divergences;
  }

  /** What an expression stands for. */
  Meaning check(Expression expression, Scope scope) {
    context.step(expression.span());
    Span before = b.at(expression.span());
    try {
      Meaning meaning = dispatch(expression, scope);
      context.requireBounded(expression.span());
      return meaning;
    } catch (LevelException e) {
      throw context.fail(
          Diagnostic.of(
                  OWNERS_MEET,
                  expression.span(),
                  "a value at "
                      + e.first().describe()
                      + " cannot meet one at "
                      + e.second().describe())
              .withHelp(
                  e.first().level() == Level.VOCAB || e.second().level() == Level.VOCAB
                      ? "distributions of different sequences have nothing in common: reduce each"
                          + " over its vocabulary and its tokens first, as in"
                          + " `sum[token](sum[vocab](...))`, or over its vocabulary alone and bring"
                          + " that to the positions of the other with `beside(sum[vocab](...),"
                          + " sequence)`"
                      : "tokens of different sequences have nothing in common: reduce each to its"
                          + " sequence first, as in `sum[token](...)`, or bring one to the"
                          + " positions of the other with `beside(x, sequence)`"));
    } finally {
      b.at(before);
    }
  }

  private Meaning dispatch(Expression expression, Scope scope) {
    return switch (expression) {
      case Expression.NumberLiteral number ->
          Meaning.Value.of(Kind.REAL, b.constant(number.value()));
      case Expression.TruthLiteral truth ->
          Meaning.Value.of(Kind.BOOL, b.constant(truth.value() ? 1 : 0));
      case Expression.TextLiteral text ->
          throw context.fail(WRONG_THING, text.span(), "a text has no value in an objective");
      case Expression.ListLiteral list ->
          throw context.fail(
              WRONG_THING,
              list.span(),
              "a list has no value in an objective",
              "lists sweep parameters in an experiment's `train` line");
      case Expression.NameReference name -> name(name, scope);
      case Expression.Negated negated -> {
        Meaning.Value value = real(check(negated.operand(), scope), negated.operand().span());
        yield map(value, b::negate, Kind.REAL);
      }
      case Expression.Not not -> {
        Meaning.Value value = truth(check(not.operand(), scope), not.operand().span());
        yield map(value, n -> b.apply(Unary.NOT, n), Kind.BOOL);
      }
      case Expression.Binary binary -> binary(binary, scope);
      case Expression.Conditional conditional -> conditional(conditional, scope);
      case Expression.Gated gated -> gated(gated, scope);
      case Expression.Member member -> member(member, scope);
      case Expression.Call call -> call(call, scope);
      case Expression.Index index -> index(index, scope);
      case Expression.Accepted accepted -> {
        context.enterAccept(accepted);
        List<Node> values = List.of();
        try {
          Meaning meaning = check(accepted.value(), scope);
          values = meaning instanceof Meaning.Value value ? value.nodes() : List.of();
          yield meaning;
        } finally {
          context.leaveAccept(values);
        }
      }
    };
  }

  private Meaning name(Expression.NameReference reference, Scope scope) {
    Optional<Meaning> found = scope.find(reference.name());
    if (found.isPresent()) {
      return found.get();
    }
    if (BuiltinFunctions.NAMES.contains(reference.name())) {
      return new Meaning.BuiltinName(reference.name());
    }
    if (context.abandoned.contains(reference.name())) {
      throw new Abandoned();
    }
    if (reference.name().equals("old")) {
      throw context.fail(
          UNKNOWN_NAME,
          reference.span(),
          "there is no thing called `old`: an objective names who sampled the data itself",
          "declare it: `behavior old`");
    }
    if (reference.name().equals("True") || reference.name().equals("False")) {
      throw context.fail(
          UNKNOWN_NAME,
          reference.span(),
          "there is no thing called `" + reference.name() + "`",
          "write `" + reference.name().toLowerCase(java.util.Locale.ROOT) + "`");
    }
    if (BuiltinFunctions.REDUCTIONS.contains(reference.name())) {
      throw context.fail(
          UNKNOWN_NAME,
          reference.span(),
          "`" + reference.name() + "` does not say over what",
          ForeignNames.helpOnReduction(reference.name()));
    }
    List<String> known = new ArrayList<>(scope.visible());
    known.addAll(BuiltinFunctions.NAMES);
    String name = reference.name();
    Diagnostic unknown =
        Diagnostic.of(UNKNOWN_NAME, reference.span(), "there is no thing called `" + name + "`");
    Optional<String> foreign = ForeignNames.help(name);
    boolean near =
        context.sink.isFull()
            || !ForeignNames.isDivergence(name) && Suggestions.nearest(name, known).isPresent();
    if (!near && LibraryImports.offer(unknown, name).isEmpty()) {
      if (foreign.isPresent()) {
        throw context.fail(unknown.withHelp(foreign.get()));
      }
      if (!context.sequences.isEmpty()) {
        throw context.fail(
            unknown.withHelp(
                "declare it: as data of the batch, `reward %s: sequence` or `feature %s: token`, as"
                        .formatted(name, name)
                    + " a parameter, `objective NAME(%s: Real = 0.1)`, or with `let`"
                        .formatted(name)));
      }
    }
    throw context.unknown(reference.span(), "thing called", name, known);
  }

  // Kinds.

  /** A value, or an error that says what else it is. */
  Meaning.Value value(Meaning meaning, Span span) {
    if (meaning instanceof Meaning.Value value) {
      return value;
    }
    if (meaning instanceof Meaning.ColumnName column) {
      throw context.fail(
          WRONG_THING,
          span,
          "`" + column.column().name() + "` belongs to each sequence of a pair",
          "say of which: `" + column.column().name() + "(" + context.sequences.get(0) + ")`");
    }
    String message = "expected a value, found " + meaning.what();
    if (meaning instanceof Meaning.ActorName actor) {
      throw context.fail(WRONG_THING, span, message, applications(actor));
    }
    throw context.fail(WRONG_THING, span, message);
  }

  /** How an actor is made a value. */
  private String applications(Meaning.ActorName actor) {
    String sequence = context.sequences.isEmpty() ? "y" : context.sequences.getFirst();
    return ("`%1$s(%2$s)` is its probability of the response, `%1$s(%2$s.token)` of each token, and"
            + " `%1$s(%2$s.vocab)` its whole distribution")
        .formatted(actor.name(), sequence);
  }

  /** A real number; a Prob leaves log space. */
  Meaning.Value real(Meaning meaning, Span span) {
    Meaning.Value value = value(meaning, span);
    return switch (value.kind()) {
      case REAL -> value;
      case PROB -> map(value, b::exp, Kind.REAL);
      case BOOL ->
          throw context.fail(
              WRONG_KIND,
              span,
              "expected a number, found a truth value",
              "write `if ... then 1 else 0`");
    };
  }

  Meaning.Value truth(Meaning meaning, Span span) {
    Meaning.Value value = value(meaning, span);
    if (value.kind() != Kind.BOOL) {
      throw context.fail(
          WRONG_KIND, span, "expected a truth value, found a " + value.kind().word());
    }
    return value;
  }

  /** A positive quantity as its logarithm, where that is what the value is. */
  Optional<Meaning.Value> logarithm(Meaning.Value value) {
    if (value.kind() == Kind.PROB) {
      return Optional.of(value);
    }
    if (value.kind() == Kind.REAL && !value.ensemble()) {
      // Also in a graph that is not simplified, where `1 - 0.3` is a difference still.
      var number = FixedValues.evaluate(value.node(), Map.of(), new LinkedHashMap<>());
      if (number.isPresent() && number.getAsDouble() > 0) {
        return Optional.of(Meaning.Value.of(Kind.PROB, b.constant(Math.log(number.getAsDouble()))));
      }
    }
    return Optional.empty();
  }

  /**
   * The logarithm of a factor of a probability. A distribution may also be weighed by parameters
   * that are not negative, so that `b * pi(y.vocab) + (1 - b) * ref(y.vocab)` is a distribution.
   */
  private Optional<Meaning.Value> weight(Meaning.Value factor, Meaning.Value probability) {
    Optional<Meaning.Value> known = logarithm(factor);
    if (known.isPresent()
        || factor.kind() != Kind.REAL
        || factor.ensemble()
        || probability.ensemble()
        || probability.domain().level() != Level.VOCAB
        || !Bounds.isChosen(factor.node())) {
      return known;
    }
    var now = FixedValues.evaluate(factor.node(), context.parameterValues, new LinkedHashMap<>());
    return now.isPresent() && now.getAsDouble() < 0
        ? Optional.empty()
        : Optional.of(Meaning.Value.of(Kind.PROB, b.log(factor.node())));
  }

  Meaning.Value map(Meaning.Value value, UnaryOperator<Node> function, Kind kind) {
    return new Meaning.Value(kind, value.nodes().stream().map(function).toList(), value.ensemble());
  }

  Meaning.Value zip(
      Meaning.Value left,
      Meaning.Value right,
      BinaryOperator<Node> function,
      Kind kind,
      Span span) {
    if (!left.ensemble() && !right.ensemble()) {
      return Meaning.Value.of(kind, function.apply(left.node(), right.node()));
    }
    int size = Math.max(left.nodes().size(), right.nodes().size());
    if (left.ensemble() && right.ensemble() && left.nodes().size() != right.nodes().size()) {
      throw context.fail(
          WRONG_ARGUMENTS,
          span,
          "an ensemble of "
              + left.nodes().size()
              + " cannot meet an ensemble of "
              + right.nodes().size());
    }
    List<Node> nodes = new ArrayList<>();
    for (int m = 0; m < size; m++) {
      nodes.add(
          function.apply(
              left.nodes().get(left.ensemble() ? m : 0),
              right.nodes().get(right.ensemble() ? m : 0)));
    }
    return new Meaning.Value(kind, nodes, true);
  }

  // Operators.

  private Meaning binary(Expression.Binary binary, Scope scope) {
    Meaning leftMeaning = check(binary.left(), scope);
    Meaning rightMeaning = check(binary.right(), scope);
    Meaning.Value left = value(leftMeaning, binary.left().span());
    Meaning.Value right = value(rightMeaning, binary.right().span());
    Span span = binary.span();
    return switch (binary.operator()) {
      case TIMES -> times(left, right, binary);
      case DIVIDE -> divide(left, right, binary);
      case PLUS -> plus(left, right, binary);
      case MINUS ->
          zip(
              real(left, binary.left().span()),
              real(right, binary.right().span()),
              b::subtract,
              Kind.REAL,
              span);
      case POWER -> power(left, right, binary);
      case LESS -> compare(left, right, binary, (x, y) -> b.combine(Binary.LESS, x, y));
      case LESS_EQUAL -> compare(left, right, binary, b::lessEqual);
      case GREATER -> compare(left, right, binary, (x, y) -> b.combine(Binary.LESS, y, x));
      case GREATER_EQUAL -> compare(left, right, binary, (x, y) -> b.lessEqual(y, x));
      case EQUAL -> compare(left, right, binary, (x, y) -> b.combine(Binary.EQUAL, x, y));
      case NOT_EQUAL ->
          compare(left, right, binary, (x, y) -> b.apply(Unary.NOT, b.combine(Binary.EQUAL, x, y)));
      case AND ->
          zip(
              truth(left, binary.left().span()),
              truth(right, binary.right().span()),
              (x, y) -> b.combine(Binary.AND, x, y),
              Kind.BOOL,
              span);
      case OR ->
          zip(
              truth(left, binary.left().span()),
              truth(right, binary.right().span()),
              (x, y) -> b.combine(Binary.OR, x, y),
              Kind.BOOL,
              span);
    };
  }

  private Meaning.Value compare(
      Meaning.Value left,
      Meaning.Value right,
      Expression.Binary binary,
      BinaryOperator<Node> function) {
    if (left.kind() == Kind.BOOL && right.kind() == Kind.BOOL) {
      return zip(left, right, function, Kind.BOOL, binary.span());
    }
    return zip(
        real(left, binary.left().span()),
        real(right, binary.right().span()),
        function,
        Kind.BOOL,
        binary.span());
  }

  private Meaning.Value times(Meaning.Value left, Meaning.Value right, Expression.Binary binary) {
    Span span = binary.span();
    boolean leftProb = left.kind() == Kind.PROB;
    boolean rightProb = right.kind() == Kind.PROB;
    if (leftProb || rightProb) {
      Optional<Meaning.Value> logLeft = leftProb ? Optional.of(left) : weight(left, right);
      Optional<Meaning.Value> logRight = rightProb ? Optional.of(right) : weight(right, left);
      if (logLeft.isPresent() && logRight.isPresent()) {
        return zip(logLeft.get(), logRight.get(), b::add, Kind.PROB, span);
      }
      return leftProb
          ? zip(left, real(right, binary.right().span()), b::expTimes, Kind.REAL, span)
          : zip(right, real(left, binary.left().span()), b::expTimes, Kind.REAL, span);
    }
    return zip(
        real(left, binary.left().span()),
        real(right, binary.right().span()),
        b::multiply,
        Kind.REAL,
        span);
  }

  private Meaning.Value divide(Meaning.Value left, Meaning.Value right, Expression.Binary binary) {
    Span span = binary.span();
    if (right.kind() == Kind.PROB) {
      Optional<Meaning.Value> log = logarithm(left);
      if (log.isPresent()) {
        return zip(log.get(), right, b::subtract, Kind.PROB, span);
      }
      return zip(
          map(right, b::negate, Kind.REAL),
          real(left, binary.left().span()),
          b::expTimes,
          Kind.REAL,
          span);
    }
    Meaning.Value divisor = real(right, binary.right().span());
    guard(divisor, binary);
    if (left.kind() == Kind.PROB) {
      Optional<Meaning.Value> log = logarithm(divisor);
      if (log.isPresent()) {
        return zip(left, log.get(), b::subtract, Kind.PROB, span);
      }
    }
    return zip(real(left, binary.left().span()), divisor, b::divide, Kind.REAL, span);
  }

  /** Refuses a divisor that can be zero as far as the compiler can see. */
  private void guard(Meaning.Value divisor, Expression.Binary binary) {
    for (Node node : divisor.nodes()) {
      if (!context.bounds.nonZero(node)) {
        String text = binary.right().span().text();
        context.report(
            Diagnostic.of(
                    UNGUARDED_DIVISION,
                    binary.right().span(),
                    "this divisor can be zero, and then the loss is not a number")
                .withHelp(
                    "guard it where the compiler can see it: `("
                        + text
                        + " + 1e-4)` if it cannot be negative, or `max("
                        + text
                        + ", 1)`")
                .withFix(guard(node, binary.right().span())));
        return;
      }
    }
  }

  /** A guard: of a count, which is 1 or more where it is not 0, the one that changes nothing. */
  private Fix guard(Node divisor, Span span) {
    Node count = divisor;
    while (count.operation() instanceof Operation.Broadcast
        || count.operation() instanceof Operation.Lift) {
      count = count.operand(0);
    }
    if (count.operation() instanceof Operation.Count) {
      return Fix.safe(
          "write `max(" + span.text() + ", 1)`",
          Edit.before(span, "max("),
          Edit.behind(span, ", 1)"));
    }
    // Where a product or a quotient is divided by, the parentheses are there already.
    return context.bounds.range(divisor).low() >= 0
        ? Fix.suggested(
            "write `(" + span.text() + " + 1e-4)`",
            Edit.before(span, "("),
            Edit.behind(span, " + 1e-4)"))
        : Fix.suggested(
            "write `max(" + span.text() + ", 1e-4)`",
            Edit.before(span, "max("),
            Edit.behind(span, ", 1e-4)"));
  }

  private Meaning.Value plus(Meaning.Value left, Meaning.Value right, Expression.Binary binary) {
    if (left.kind() == Kind.PROB || right.kind() == Kind.PROB) {
      Optional<Meaning.Value> logLeft = logarithm(left);
      Optional<Meaning.Value> logRight = logarithm(right);
      if (logLeft.isPresent() && logRight.isPresent()) {
        return zip(
            logLeft.get(),
            logRight.get(),
            (x, y) -> b.combine(Binary.LOG_ADD_EXP, x, y),
            Kind.PROB,
            binary.span());
      }
    }
    return zip(
        real(left, binary.left().span()),
        real(right, binary.right().span()),
        b::add,
        Kind.REAL,
        binary.span());
  }

  private Meaning.Value power(Meaning.Value left, Meaning.Value right, Expression.Binary binary) {
    Meaning.Value exponent = real(right, binary.right().span());
    if (left.kind() == Kind.PROB) {
      return zip(left, exponent, b::multiply, Kind.PROB, binary.span());
    }
    return zip(real(left, binary.left().span()), exponent, b::power, Kind.REAL, binary.span());
  }

  private Meaning conditional(Expression.Conditional conditional, Scope scope) {
    Meaning.Value condition =
        truth(check(conditional.condition(), scope), conditional.condition().span());
    Meaning yesMeaning = check(conditional.yes(), scope);
    Meaning noMeaning = check(conditional.no(), scope);
    Meaning.Value yes = value(yesMeaning, conditional.yes().span());
    Meaning.Value no = value(noMeaning, conditional.no().span());
    Kind kind = yes.kind() == no.kind() ? yes.kind() : Kind.REAL;
    if (kind == Kind.REAL) {
      yes = real(yes, conditional.yes().span());
      no = real(no, conditional.no().span());
    }
    int size = Math.max(condition.nodes().size(), Math.max(yes.nodes().size(), no.nodes().size()));
    List<Node> nodes = new ArrayList<>();
    for (int m = 0; m < size; m++) {
      nodes.add(
          b.select(
              member(condition, m, conditional.span()),
              member(yes, m, conditional.span()),
              member(no, m, conditional.span())));
    }
    return new Meaning.Value(kind, nodes, condition.ensemble() || yes.ensemble() || no.ensemble());
  }

  /** {@code value when condition}: 0 where the condition does not hold. */
  private Meaning gated(Expression.Gated gated, Scope scope) {
    Meaning.Value condition = truth(check(gated.condition(), scope), gated.condition().span());
    Meaning.Value value = real(check(gated.value(), scope), gated.value().span());
    return zip(condition, value, (c, v) -> b.select(c, v, b.constant(0)), Kind.REAL, gated.span());
  }

  private Node member(Meaning.Value value, int index, Span span) {
    if (!value.ensemble()) {
      return value.node();
    }
    if (index >= value.nodes().size()) {
      throw context.fail(WRONG_ARGUMENTS, span, "ensembles of different sizes meet");
    }
    return value.nodes().get(index);
  }

  // Postfix forms.

  private Meaning member(Expression.Member member, Scope scope) {
    Meaning target = check(member.target(), scope);
    return switch (target) {
      case Meaning.SequenceName sequence -> {
        Level level =
            switch (member.name()) {
              case "token", "step" -> Level.TOKEN;
              case "vocab" -> Level.VOCAB;
              default ->
                  throw context.unknown(
                      member.span(),
                      "part of a sequence called",
                      member.name(),
                      List.of("token", "vocab", "step"));
            };
        yield new Meaning.SequenceView(sequence.name(), level);
      }
      case Meaning.DivergenceName divergence -> {
        if (!DivergenceTerms.MEMBERS.contains(member.name())) {
          throw context.unknown(
              member.span(), "part of a divergence called", member.name(), DivergenceTerms.MEMBERS);
        }
        yield new Meaning.DivergenceMember(divergence.divergence(), member.name());
      }
      case Meaning.DivergenceFamily family ->
          member(
              new Expression.Member(member.span(), member.target(), member.name()),
              divergences.instance(family, List.of(), member.target().span(), scope));
      case Meaning.ModuleName module ->
          module
              .scope()
              .own(member.name())
              .orElseThrow(() ->
                  context.unknown(
                      member.span(),
                      "thing in `" + module.name() + "` called",
                      member.name(),
                      module.scope().ownNames()));
      case Meaning.ActorName actor ->
          throw context.fail(
              WRONG_THING,
              member.span(),
              actor.what() + " has no parts to name with a dot",
              applications(actor));
      case Meaning.Value value
          when BuiltinFunctions.REDUCTIONS.contains(member.name())
              || BuiltinFunctions.NAMES.contains(member.name()) ->
          throw context.fail(
              WRONG_THING,
              member.span(),
              value.what() + " has no parts to name with a dot",
              BuiltinFunctions.REDUCTIONS.contains(member.name())
                  ? "a reduction stands in front, with what it goes over: `%s[sequence](...)`"
                      .formatted(member.name())
                  : "functions stand in front: `%s(...)`".formatted(member.name()));
      case Meaning other ->
          throw context.fail(
              WRONG_THING, member.span(), other.what() + " has no parts to name with a dot");
    };
  }

  private Meaning member(Expression.Member member, Divergence divergence) {
    if (!DivergenceTerms.MEMBERS.contains(member.name())) {
      throw context.unknown(
          member.span(), "part of a divergence called", member.name(), DivergenceTerms.MEMBERS);
    }
    return new Meaning.DivergenceMember(divergence, member.name());
  }

  private Meaning index(Expression.Index index, Scope scope) {
    if (index.target() instanceof Expression.NameReference name) {
      if (name.name().equals("E") && scope.find("E").isEmpty()) {
        if (index.indices().size() != 1) {
          throw context.fail(WRONG_ARGUMENTS, index.span(), "`E[...]` takes one value");
        }
        return divergences.expectation(index, scope);
      }
      if (scope.find(name.name()).orElse(null) instanceof Meaning.RankedName ranked) {
        return ranked(ranked, index);
      }
      if (BuiltinFunctions.REDUCTIONS.contains(name.name())) {
        List<String> levels = new ArrayList<>();
        for (Expression level : index.indices()) {
          if (!(level instanceof Expression.NameReference word)) {
            throw context.fail(
                WRONG_ARGUMENTS, level.span(), "expected a level, such as `token` or `sequence`");
          }
          levels.add(word.name());
        }
        return new Meaning.ReductionName(name.name(), levels);
      }
    }
    throw context.fail(
        WRONG_THING,
        index.span(),
        "`[...]` belongs after `E` or a reduction",
        "reductions are " + String.join(", ", BuiltinFunctions.REDUCTIONS));
  }

  /** {@code y[1]}: one sequence of a ranked list. */
  private Meaning ranked(Meaning.RankedName list, Expression.Index index) {
    int last = list.sequences().size();
    if (index.indices().size() == 1
        && index.indices().getFirst() instanceof Expression.NumberLiteral number
        && number.value() >= 1
        && number.value() <= last
        && number.value() == Math.rint(number.value())) {
      return new Meaning.SequenceName(list.sequences().get((int) number.value() - 1));
    }
    throw context.fail(
        WRONG_ARGUMENTS,
        index.span(),
        "`%s` has the ranks 1, the best, to %d".formatted(list.name(), last),
        "write the number of a rank: `%s[1]`".formatted(list.name()));
  }

  /** The ranked list that a call is of, as in {@code h(y)} and {@code pi(y.token)}. */
  private static Optional<Meaning.RankedName> rankedArgument(Expression.Call call, Scope scope) {
    for (Expression.Argument argument : call.arguments()) {
      Expression root =
          argument.value() instanceof Expression.Member view ? view.target() : argument.value();
      if (root instanceof Expression.NameReference name
          && scope.find(name.name()).orElse(null) instanceof Meaning.RankedName ranked) {
        return Optional.of(ranked);
      }
    }
    return Optional.empty();
  }

  /** A call of a ranked list: its value for every rank, the best first, as an ensemble. */
  private Meaning perRank(Meaning.RankedName list, Expression.Call call, Scope scope) {
    List<Node> nodes = new ArrayList<>();
    Kind kind = Kind.REAL;
    for (String sequence : list.sequences()) {
      Scope inner = scope.inner();
      inner.declare(list.name(), new Meaning.SequenceName(sequence));
      Meaning.Value value = value(call(call, inner), call.span());
      if (value.ensemble()) {
        throw context.fail(
            WRONG_ARGUMENTS,
            call.span(),
            "the members of an ensemble and the ranks of a list cannot stand side by side",
            "reduce the ensemble where it is used: `mean[member](...)` inside a function of one"
                + " sequence");
      }
      kind = value.kind();
      nodes.add(value.node());
    }
    return new Meaning.Value(kind, nodes, true);
  }

  private static final String PREFERENCE_FORM =
      "write `%1$s(a > b)` for two sequences of a row, or `%1$s(y > mu)` for the share of what the"
          + " actor `mu` gives that `y` is preferred to";

  /** {@code P(a > b)} of two sequences, or {@code P(y > mu)}, the win rate against an actor. */
  private Meaning preferred(Meaning.PreferenceName name, Expression.Call call, Scope scope) {
    String help = PREFERENCE_FORM.formatted(name.name());
    if (call.arguments().size() != 1
        || call.arguments().getFirst().name().isPresent()
        || !(call.arguments().getFirst().value() instanceof Expression.Binary compared)
        || !(compared.operator() == Expression.Operator.GREATER
            || compared.operator() == Expression.Operator.LESS)) {
      throw context.fail(WRONG_ARGUMENTS, call.span(), "a preference compares two responses", help);
    }
    boolean greater = compared.operator() == Expression.Operator.GREATER;
    Meaning first = check(greater ? compared.left() : compared.right(), scope);
    Meaning second = check(greater ? compared.right() : compared.left(), scope);
    if (first instanceof Meaning.SequenceName a && second instanceof Meaning.SequenceName b2) {
      int i = context.sequences.indexOf(a.name());
      int j = context.sequences.indexOf(b2.name());
      if (i == j) {
        throw context.fail(
            WRONG_ARGUMENTS, call.span(), "a response is not compared with itself", help);
      }
      String low = context.sequences.get(Math.min(i, j));
      String high = context.sequences.get(Math.max(i, j));
      String of = context.sequences.size() == 2 ? "" : "." + low + "." + high;
      Meaning.Value forward =
          context.column("preference." + name.name() + of, "", Level.PAIR, 0, Kind.REAL);
      return i < j ? forward : complement(forward);
    }
    if (first instanceof Meaning.SequenceName a && second instanceof Meaning.ActorName mu) {
      return winRate(name, a.name(), mu, call.span());
    }
    if (first instanceof Meaning.ActorName mu && second instanceof Meaning.SequenceName b2) {
      return complement(winRate(name, b2.name(), mu, call.span()));
    }
    throw context.fail(
        WRONG_ARGUMENTS,
        call.span(),
        "a preference is between two sequences, or a sequence and an actor",
        help);
  }

  private Meaning.Value winRate(
      Meaning.PreferenceName name, String sequence, Meaning.ActorName opponent, Span span) {
    CheckContext.Actor actor = actor(opponent, span);
    return context.column(
        "preference." + name.name() + "." + actor.name(), sequence, Level.SEQUENCE, 0, Kind.REAL);
  }

  /** {@code P(b > a) = 1 - P(a > b)}. */
  private Meaning.Value complement(Meaning.Value preferred) {
    return map(preferred, n -> b.subtract(b.constant(1), n), Kind.REAL);
  }

  /** {@code KL(p, q)}: two sides are parted by bars, and not by a comma. */
  private void requireSides(Meaning.DivergenceFamily family, Expression.Call call) {
    List<Expression.Argument> arguments = call.arguments();
    List<Expression.Argument> plain = arguments.stream().filter(a -> a.name().isEmpty()).toList();
    if (plain.size() == 2
        && plain.stream().allMatch(a -> a.against().isEmpty())
        && arguments.indexOf(plain.get(1)) == arguments.indexOf(plain.get(0)) + 1
        && arguments.size() > family.declaration().parameters().size()) {
      Span first = plain.get(0).span();
      Span second = plain.get(1).span();
      throw context.fail(
          Diagnostic.of(
                  WRONG_ARGUMENTS, call.span(), "a divergence has its two sides parted by `||`")
              .withHelp("write `%s(p || q)`".formatted(family.declaration().name()))
              .withFix(
                  Fix.suggested(
                      "write `||`",
                      Edit.replace(first.source().span(first.end(), second.start()), " || "))));
    }
  }

  private Meaning call(Expression.Call call, Scope scope) {
    Optional<Meaning.RankedName> ranked = rankedArgument(call, scope);
    if (ranked.isPresent()) {
      return perRank(ranked.get(), call, scope);
    }
    Meaning function = check(call.function(), scope);
    return switch (function) {
      case Meaning.FunctionName f -> inline(f, call, scope);
      case Meaning.BuiltinName builtin -> builtins.call(builtin.name(), call, scope);
      case Meaning.ReductionName reduction -> builtins.reduce(reduction, call, scope);
      case Meaning.ActorName actor -> probability(actor, call, scope);
      case Meaning.TargetName target -> {
        sequenceArgument(call, scope);
        yield Meaning.Value.of(Kind.PROB, context.logDensity(target));
      }
      case Meaning.ColumnName column -> {
        String sequence = sequenceArgument(call, scope);
        yield columnOf(column, sequence, call.span());
      }
      case Meaning.Value value -> {
        // In data with one sequence, `helpful(y)` is `helpful`.
        String sequence = sequenceArgument(call, scope);
        if (value.domain().owner().equals(sequence)) {
          yield value;
        }
        throw context.fail(WRONG_THING, call.span(), "a value cannot be called");
      }
      case Meaning.DivergenceFamily family -> {
        requireSides(family, call);
        boolean terms =
            call.arguments().stream().anyMatch(argument -> argument.against().isPresent());
        if (!terms) {
          yield new Meaning.DivergenceName(
              divergences.instance(family, call.arguments(), call.span(), scope));
        }
        // `alpha(pi || ref, a = 0.3)` gives the divergence its parameter and the term its actors.
        Set<String> parameters = new HashSet<>();
        family.declaration().parameters().forEach(p -> parameters.add(p.name()));
        List<Expression.Argument> own = new ArrayList<>();
        List<Expression.Argument> rest = new ArrayList<>();
        for (Expression.Argument argument : call.arguments()) {
          (argument.name().filter(parameters::contains).isPresent() ? own : rest).add(argument);
        }
        yield divergences.term(
            divergences.instance(family, own, call.function().span(), scope),
            new Expression.Call(call.span(), call.function(), rest),
            scope);
      }
      case Meaning.PreferenceName preference -> preferred(preference, call, scope);
      case Meaning.DivergenceName name -> divergences.term(name.divergence(), call, scope);
      case Meaning.DivergenceMember member -> divergences.member(member, call, scope);
      case Meaning.EstimatorName _,
          Meaning.ObjectiveName _,
          Meaning.ExperimentName _,
          Meaning.ModuleName _,
          Meaning.SequenceName _,
          Meaning.RankedName _,
          Meaning.OccupancyMeasure _,
          Meaning.SequenceView _ ->
          throw context.fail(
              WRONG_THING, call.function().span(), function.what() + " cannot be called here");
    };
  }

  Meaning.Value columnOf(Meaning.ColumnName name, String sequence, Span span) {
    Statement.Column column = name.column();
    if (column.definition().isPresent()) {
      context.enter(column, span, column.name());
      try {
        Scope inner = name.scope().inner();
        inner.declare("y", new Meaning.SequenceName(sequence));
        Meaning.Value value =
            value(check(column.definition().get(), inner), column.definition().get().span());
        column.type().ifPresent(type -> requireDeclared(column, type, value));
        return column.role() == Statement.ColumnRole.REWARD
            ? map(value, b::stop, value.kind())
            : value;
      } finally {
        context.leave();
      }
    }
    return declaredColumn(column, sequence);
  }

  /** Holds the definition of a column to the level that is written before it, or a coarser one. */
  private void requireDeclared(
      Statement.Column column, Declaration.TypeExpression type, Meaning.Value value) {
    Level declared = declaredLevel(type);
    boolean members = value.ensemble() ? value.nodes().size() == type.size() : type.size() == 0;
    if (!members || value.domain().level().compareTo(declared) > 0) {
      String found =
          members
              ? "at " + value.domain().describe()
              : value.ensemble()
                  ? "as an ensemble of " + value.nodes().size()
                  : "as a single value";
      context.report(
          Diagnostic.of(
                  WRONG_ARGUMENTS,
                  column.nameSpan(),
                  "`"
                      + column.name()
                      + "` is declared as `"
                      + type.span().text()
                      + "` and defined "
                      + found)
              .withHelp("leave the level out: it is that of the definition"));
    }
  }

  /** A column that the batch holds. */
  Meaning.Value declaredColumn(Statement.Column column, String sequence) {
    Declaration.TypeExpression type =
        column
            .type()
            .orElseThrow(() ->
                context.fail(
                    WRONG_ARGUMENTS,
                    column.span(),
                    "`" + column.name() + "` needs a level or a definition",
                    "write `" + column.role().word() + " " + column.name() + ": sequence`"));
    if (column.role() == Statement.ColumnRole.LEARN && type.name().equals("batch")) {
      return learned(column.name(), sequence, Level.BATCH, type.size(), Optional.empty());
    }
    Level level = declaredLevel(type);
    if (level == Level.PAIR && !context.paired) {
      throw context.fail(
          WRONG_ARGUMENTS,
          type.span(),
          "there are no pairs here",
          "declare `pairs chosen > rejected`");
    }
    if (column.role() == Statement.ColumnRole.LEARN) {
      return learned(column.name(), sequence, level, type.size(), Optional.empty());
    }
    return context.column(
        column.role().word() + "." + column.name(), sequence, level, type.size(), Kind.REAL);
  }

  /** What a block gives; of an ensemble each member is a block of its own, {@code v1} and so on. */
  private Meaning.Value learned(
      String name,
      String sequence,
      Level level,
      int members,
      Optional<CheckContext.Actor> sampled) {
    if (members == 0) {
      return Meaning.Value.of(Kind.REAL, context.learned(name, sequence, level, sampled));
    }
    List<Node> nodes = new ArrayList<>();
    for (String member : Statement.members(name, members)) {
      nodes.add(context.learned(member, sequence, level, sampled));
    }
    return new Meaning.Value(Kind.REAL, nodes, true);
  }

  private Level declaredLevel(Declaration.TypeExpression type) {
    return switch (type.name()) {
      case "sequence" -> Level.SEQUENCE;
      case "token", "step" -> Level.TOKEN;
      case "pair" -> Level.PAIR;
      default ->
          throw context.unknown(
              type.span(),
              "level of data called",
              type.name(),
              List.of("sequence", "token", "pair"));
    };
  }

  private String sequenceArgument(Expression.Call call, Scope scope) {
    if (call.arguments().size() == 1) {
      Meaning argument = check(call.arguments().get(0).value(), scope);
      if (argument instanceof Meaning.SequenceName sequence) {
        return sequence.name();
      }
    }
    throw context.fail(
        WRONG_ARGUMENTS,
        call.span(),
        "expected one sequence in the parentheses",
        "sequences here: " + String.join(", ", context.sequences));
  }

  private Meaning probability(Meaning.ActorName name, Expression.Call call, Scope scope) {
    CheckContext.Actor actor = actor(name, call.function().span());
    if (call.arguments().size() != 1) {
      throw context.fail(WRONG_ARGUMENTS, call.span(), "a probability is of one sequence");
    }
    Meaning argument = check(call.arguments().get(0).value(), scope);
    return switch (argument) {
      case Meaning.Value value when actor.role() == Statement.Role.BEHAVIOR && isLearned(value) -> {
        yield map(
            value,
            node -> {
              Signature.Input block = ((Operation.Input) node.operation()).input();
              return context.learned(
                  Signature.block(block), block.sequence(), block.level(), Optional.of(actor));
            },
            Kind.REAL);
      }
      case Meaning.SequenceName sequence ->
          Meaning.Value.of(
              Kind.PROB,
              b.sumTo(
                  context.logProbability(actor, sequence.name()),
                  Domain.sequence(sequence.name())));
      case Meaning.SequenceView view ->
          Meaning.Value.of(
              Kind.PROB,
              view.level() == Level.TOKEN
                  ? context.logProbability(actor, view.sequence())
                  : context.logDistribution(actor, view.sequence()));
      case Meaning other ->
          throw context.fail(
              WRONG_ARGUMENTS,
              call.span(),
              "a probability is of a sequence, and this is " + other.what(),
              "write `"
                  + actor.name()
                  + "("
                  + context.sequences.get(0)
                  + ")`, `"
                  + actor.name()
                  + "("
                  + context.sequences.get(0)
                  + ".token)` or `"
                  + actor.name()
                  + "("
                  + context.sequences.get(0)
                  + ".vocab)`");
    };
  }

  /** Whether a value is what a trained block gives, as it is. */
  private static boolean isLearned(Meaning.Value value) {
    return value.nodes().stream()
        .allMatch(node ->
            node.operation() instanceof Operation.Input input
                && input.input().role() == Signature.Role.LEARNED
                && input.input().trained());
  }

  CheckContext.Actor actor(Meaning.ActorName name, Span span) {
    CheckContext.Actor actor = context.actors.get(name.name());
    if (actor == null) {
      if (name.role() == Statement.Role.BEHAVIOR) {
        // What sampled the data exists whether or not the objective names it.
        actor = new CheckContext.Actor(name.name(), name.role(), Optional.empty(), span);
        context.actors.put(name.name(), actor);
      } else {
        throw context.fail(
            org.alignlang.compiler.diagnostic.DiagnosticCode.MISSING_ACTOR,
            span,
            "this needs a " + name.role().word(),
            "declare one: `" + name.role().word() + " " + name.name() + "`");
      }
    }
    return actor;
  }

  /** Inlines a function: its body is checked where it stands, with the arguments in its scope. */
  private Meaning inline(Meaning.FunctionName function, Expression.Call call, Scope scope) {
    Map<String, Meaning> bound =
        bind(
            function.name(),
            function.parameters(),
            call.arguments(),
            call.span(),
            scope,
            function.scope());
    context.enter(function.body(), call.span(), function.name());
    try {
      Scope inner = function.scope().inner();
      bound.forEach(inner::declare);
      for (Statement.Let let : function.lets()) {
        declareLet(let, inner);
      }
      return check(function.body(), inner);
    } finally {
      context.leave();
    }
  }

  /** Declares a let: a function as such, a value checked at once. */
  void declareLet(Statement.Let let, Scope scope) {
    if (let.parameters().isPresent()) {
      scope.declare(
          let.name(),
          new Meaning.FunctionName(
              let.name(), let.parameters().get(), List.of(), let.value(), scope));
    } else {
      Meaning meaning = check(let.value(), scope);
      if (meaning instanceof Meaning.Value value && !value.ensemble()) {
        b.name(value.node(), let.name());
        if (value.kind() == Kind.PROB) {
          context.densities.add(let.value().span());
        }
      }
      scope.declare(let.name(), meaning);
    }
  }

  /** Binds arguments to parameters by position and name, then defaults. */
  Map<String, Meaning> bind(
      String what,
      List<Declaration.Parameter> parameters,
      List<Expression.Argument> arguments,
      Span span,
      Scope callScope,
      Scope definitionScope) {
    Map<String, Meaning> bound = new LinkedHashMap<>();
    int position = 0;
    for (Expression.Argument argument : arguments) {
      if (argument.against().isPresent()) {
        throw context.fail(WRONG_ARGUMENTS, argument.span(), "`||` belongs in a divergence");
      }
      String name;
      if (argument.name().isPresent()) {
        name = argument.name().get();
        if (parameters.stream().noneMatch(p -> p.name().equals(name))) {
          throw context.unknown(
              argument.span(),
              "parameter of `" + what + "` called",
              name,
              parameters.stream().map(Declaration.Parameter::name).toList());
        }
      } else {
        if (position >= parameters.size()) {
          throw context.fail(
              WRONG_ARGUMENTS,
              argument.span(),
              "`" + what + "` takes " + count(parameters.size(), "argument"));
        }
        name = parameters.get(position++).name();
      }
      if (bound.containsKey(name)) {
        throw context.fail(WRONG_ARGUMENTS, argument.span(), "`" + name + "` is given twice");
      }
      bound.put(name, check(argument.value(), callScope));
    }
    for (Declaration.Parameter parameter : parameters) {
      if (!bound.containsKey(parameter.name())) {
        Expression value =
            parameter
                .defaultValue()
                .orElseThrow(() ->
                    context.fail(
                        WRONG_ARGUMENTS, span, "`" + what + "` needs `" + parameter.name() + "`"));
        bound.put(parameter.name(), check(value, definitionScope));
      }
      parameter.type().ifPresent(type -> require(type, bound.get(parameter.name()), what, span));
    }
    return bound;
  }

  private void require(
      Declaration.TypeExpression type,
      @org.jspecify.annotations.Nullable Meaning meaning,
      String what,
      Span span) {
    boolean fits =
        switch (type.name()) {
          case "Divergence" ->
              meaning instanceof Meaning.DivergenceName
                  || meaning instanceof Meaning.DivergenceFamily;
          case "Real", "Int", "Prob" ->
              meaning instanceof Meaning.Value value && value.kind() != Kind.BOOL;
          case "Bool" -> meaning instanceof Meaning.Value value && value.kind() == Kind.BOOL;
          case "Sequence" -> meaning instanceof Meaning.SequenceName;
          case "Actor" -> meaning instanceof Meaning.ActorName;
          default ->
              throw context.unknown(
                  type.span(),
                  "type called",
                  type.name(),
                  List.of("Real", "Int", "Bool", "Prob", "Divergence", "Sequence", "Actor"));
        };
    if (!fits) {
      throw context.fail(
          WRONG_ARGUMENTS,
          span,
          "`"
              + what
              + "` expects a "
              + type.name()
              + " and got "
              + (meaning == null ? "nothing" : meaning.what()));
    }
    if (meaning instanceof Meaning.Value value) {
      requireShape(type, value, "`" + what + "` expects", span);
    } else if (type.size() > 0 || type.level().isPresent()) {
      throw context.fail(
          WRONG_ARGUMENTS,
          type.span(),
          "only a value has a level or members, not a " + type.name());
    }
  }

  /** Holds a value to the level and the number of members that a type says. */
  private void requireShape(
      Declaration.TypeExpression type, Meaning.Value value, String who, Span span) {
    if (type.size() > 0 && (!value.ensemble() || value.nodes().size() != type.size())) {
      throw context.fail(
          WRONG_ARGUMENTS,
          span,
          who
              + " an ensemble of "
              + type.size()
              + " and got "
              + (value.ensemble() ? "one of " + value.nodes().size() : "a single value"));
    }
    if (type.level().isPresent()) {
      String wanted = type.level().get();
      List<String> levels = java.util.Arrays.stream(Level.values()).map(Level::word).toList();
      if (!levels.contains(wanted)) {
        throw context.unknown(type.span(), "level called", wanted, levels);
      }
      if (!value.domain().level().word().equals(wanted)) {
        throw context.fail(
            WRONG_ARGUMENTS,
            span,
            who + " a value at " + wanted + " level and got one at " + value.domain().describe());
      }
    }
  }

  static String count(int n, String what) {
    return n == 0 ? "no " + what + "s" : n == 1 ? "one " + what : n + " " + what + "s";
  }

  /** A number that must be known while compiling. */
  double fixed(Meaning meaning, Span span) {
    Meaning.Value value = real(meaning, span);
    var number = FixedValues.evaluate(value.node(), context.parameterValues, context.fixed);
    if (number.isEmpty()) {
      throw context.fail(
          FIXED_PARAMETER,
          span,
          "this must be a number that is known when the objective is compiled",
          "give the parameter a default, or write the number");
    }
    return number.getAsDouble();
  }
}
