package org.alignlang.compiler.codegen.single;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import javax.lang.model.SourceVersion;
import org.alignlang.compiler.codegen.jvm.Frame;
import org.alignlang.compiler.codegen.jvm.Term;
import org.alignlang.compiler.codegen.jvm.ValueEmitter;
import org.alignlang.compiler.codegen.single.LoopBody.Comparison;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Site.Scope;

/**
 * The values of one loop's elements, written into its body as they are asked for. What is linear
 * stays a {@link Form} until it is needed as a vector.
 */
final class Elements {
  private final LoopBody body;
  private final Scope scope;
  private final Frame outer;
  private final ValueEmitter values;
  private final Leaves leaves;
  private final Map<Node, Form> forms = new HashMap<>();
  private final Map<Node, String> masks = new HashMap<>();
  private final Map<Form, String> vectors = new HashMap<>();

  /** What a loop's values are made of. */
  interface Leaves {
    /** Whether a value is read and not computed. */
    boolean reads(Node node);

    /** A column of the batch, or a value that another loop kept. */
    Form read(Node node);

    /**
     * The weight that is the exponential of a value, with its factor, if the value is the
     * log-softmax of logits whose normaliser is known.
     */
    Optional<Weight> softmax(Node logProbability);

    /** The element at which the taken token stands, as a mask. */
    String taken();
  }

  /** An exponential of shifted logits: {@code variable * factor} is a probability. */
  record Weight(String variable, Scalar factor) {}

  /**
   * @param scope what the loop goes over
   * @param outer where what does not change in the loop is written
   */
  Elements(LoopBody body, Scope scope, Frame outer, ValueEmitter values, Leaves leaves) {
    this.body = body;
    this.scope = scope;
    this.outer = outer;
    this.values = values;
    this.leaves = leaves;
  }

  /** Whether the loop of an operation can be written here; if not, it is written in plain Java. */
  static boolean supports(Node node) {
    return switch (node.operation()) {
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Apply _,
          Operation.Select _,
          Operation.Stop _,
          Operation.Broadcast _,
          Operation.Lift _,
          Operation.Reduce _ ->
          true;
      case Operation.OneHot _ -> true;
      case Operation.Input input ->
          input.input().members() <= 1
              && input.input().role() != org.alignlang.kernel.Signature.Role.TOKENS;
      case Operation.Combine combine ->
          // A logit is compared with one of its row to the last bit, which sums of forms would
          // lose.
          node.operands().stream().map(Plan::base).noneMatch(Elements::isLargest)
              && (combine.function() != Binary.POWER
                  || GraphBuilder.constantValue(node.operand(1)).isPresent());
      case Operation.Count _,
          Operation.Checked _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Position _,
          Operation.Scan _,
          Operation.Shift _,
          Operation.Taken _,
          Operation.Expectation _ ->
          false;
    };
  }

  private static boolean isLargest(Node node) {
    return node.operation() instanceof Operation.Largest;
  }

  /** What does not change in the loop. */
  Scalar scalar(Node node) {
    OptionalDouble known = GraphBuilder.constantValue(node);
    if (known.isPresent()) {
      return Scalar.of(known.getAsDouble());
    }
    return scalar(node, values.use(node, outer).asNumber());
  }

  /** Gives an expression a name where it has none, so that it is computed once. */
  private Scalar scalar(Node node, Term term) {
    boolean named = SourceVersion.isIdentifier(term.code().toString());
    return Scalar.of(named ? term : values.define(node, term, outer, false));
  }

  /** Makes a value known. */
  void know(Node node, Form form) {
    forms.put(node, form);
  }

  /** The value of a node. */
  Form form(Node node) {
    Node value = Plan.base(node);
    Form known = forms.get(value);
    if (known != null) {
      return known;
    }
    Form form;
    if (Scope.of(value.domain().level()) != scope) {
      form = Form.constant(scalar(value));
    } else {
      form = leaves.reads(value) ? leaves.read(value) : compute(value);
    }
    forms.put(value, form);
    return form;
  }

  private Form compute(Node node) {
    return switch (node.operation()) {
      case Operation.OneHot _ -> Form.of(Form.Product.TAKEN, Scalar.ONE);
      case Operation.Apply apply -> apply(apply.function(), node);
      case Operation.Combine combine -> combine(combine.function(), node);
      case Operation.Select _ -> select(node);
      case Operation.Stop _, Operation.Broadcast _, Operation.Lift _ -> form(node.operand(0));
      case Operation.Constant _, Operation.Parameter _, Operation.Multiplier _ ->
          Form.constant(scalar(node));
      case Operation.Input _,
          Operation.Reduce _,
          Operation.Count _,
          Operation.Checked _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Position _,
          Operation.Scan _,
          Operation.Shift _,
          Operation.Taken _,
          Operation.Expectation _ ->
          throw new IllegalStateException("no value of a loop: " + node);
    };
  }

  private Form apply(Unary function, Node node) {
    Node operand = node.operand(0);
    if (function == Unary.NEGATE) {
      return form(operand).times(Scalar.of(-1));
    }
    if (function == Unary.NOT) {
      return number(mask(node));
    }
    if (function == Unary.EXP) {
      Optional<Weight> weight = leaves.softmax(Plan.base(operand));
      if (weight.isPresent()) {
        return Form.of(new Form.Product(weight.get().variable(), null), weight.get().factor());
      }
    }
    String x = vector(operand);
    return named(
        node,
        switch (function) {
          case EXP -> body.exp(x);
          case LOG -> body.log(x);
          case EXPM1 -> body.expm1(x);
          case LOG1P -> body.log1p(x);
          case SIGMOID -> body.sigmoid(x);
          case SOFTPLUS -> body.softplus(x);
          case LOG_SIGMOID -> body.neg("logSigmoid", body.softplus(body.neg("minus", x)));
          case LOG1MEXP -> body.log1mExp(x);
          case TANH -> body.tanh(x);
          case ARCTAN -> body.arctan(x);
          case ABS -> body.abs("size", x);
          case SQRT -> body.sqrt("root", x);
          case SIGN -> body.sign(x);
          case FLOOR -> body.floor(x);
          case NEGATE, NOT -> throw new IllegalStateException("done above");
        });
  }

  private Form combine(Binary function, Node node) {
    if (function.truth()) {
      return number(mask(node));
    }
    Node a = node.operand(0);
    Node b = node.operand(1);
    return switch (function) {
      case ADD -> form(a).plus(form(b));
      case SUBTRACT -> form(a).minus(form(b));
      case MULTIPLY -> {
        Scalar left = form(a).asScalar();
        Scalar right = form(b).asScalar();
        if (left != null) {
          yield form(b).times(left);
        }
        if (right != null) {
          yield form(a).times(right);
        }
        yield named(node, body.mul("product", vector(a), vector(b)));
      }
      case DIVIDE -> {
        Scalar by = form(b).asScalar();
        if (by != null) {
          yield form(a).times(scalar(node, Scalar.ONE.over(by).term()));
        }
        yield named(node, body.div("quotient", vector(a), vector(b)));
      }
      case EXP_TIMES -> weighted(node);
      case MINIMUM -> named(node, body.min("minimum", vector(a), vector(b)));
      case MAXIMUM -> named(node, body.max("maximum", vector(a), vector(b)));
      case LOG_ADD_EXP -> named(node, body.logAddExp(vector(a), vector(b)));
      case LOG_RATIO -> named(node, body.logRatio(vector(a), vector(b)));
      case POWER -> named(node, body.power(vector(a), GraphBuilder.constantValue(b).orElseThrow()));
      case LESS, LESS_EQUAL, EQUAL, AND, OR -> throw new IllegalStateException("done above");
    };
  }

  /** {@code exp(a) b}: a probability times something, which is 0 where the probability is. */
  private Form weighted(Node node) {
    Node logWeight = Plan.base(node.operand(0));
    Optional<Weight> softmax = leaves.softmax(logWeight);
    if (softmax.isEmpty()) {
      return weighted(body.exp(vector(node.operand(0))), form(node.operand(1)));
    }
    Form value = underWeight(node.operand(1), logWeight);
    String weight = softmax.get().variable();
    Scalar factor = softmax.get().factor();
    return value.isPlain()
        ? value.weighted(weight, factor)
        : Form.variable(vector(value)).weighted(weight, factor);
  }

  /** A weight that may be infinite, times something: 0 where either is 0. */
  private Form weighted(String weight, Form value) {
    Scalar alone = value.asScalar();
    if (alone != null && alone.factor() == null) {
      return value.weighted(weight, Scalar.ONE);
    }
    return Form.variable(body.weighBoth(weight, vector(value)));
  }

  /**
   * A value that is only used where a probability is not 0. A log-ratio to that probability is then
   * a difference: it is not one where both probabilities are 0.
   */
  Form underWeight(Node node, Node logWeight) {
    Node value = Plan.base(node);
    if (Scope.of(value.domain().level()) != scope) {
      return form(value);
    }
    if (value.operation() instanceof Operation.Combine combine) {
      Node a = Plan.base(value.operand(0));
      Node b = Plan.base(value.operand(1));
      switch (combine.function()) {
        case LOG_RATIO -> {
          if (a == logWeight || b == logWeight) {
            return form(a).minus(form(b));
          }
        }
        case ADD -> {
          return underWeight(a, logWeight).plus(underWeight(b, logWeight));
        }
        case SUBTRACT -> {
          return underWeight(a, logWeight).minus(underWeight(b, logWeight));
        }
        case MULTIPLY -> {
          Scalar left = Scope.of(a.domain().level()) == scope ? null : form(a).asScalar();
          Scalar right = Scope.of(b.domain().level()) == scope ? null : form(b).asScalar();
          if (left != null) {
            return underWeight(b, logWeight).times(left);
          }
          if (right != null) {
            return underWeight(a, logWeight).times(right);
          }
        }
        default -> {}
      }
    }
    if (value.operation() instanceof Operation.Apply apply && apply.function() == Unary.NEGATE) {
      return underWeight(value.operand(0), logWeight).times(Scalar.of(-1));
    }
    return form(value);
  }

  private Form select(Node node) {
    Node condition = Plan.base(node.operand(0));
    Form yes = form(node.operand(1));
    Form no = form(node.operand(2));
    if (condition.operation() instanceof Operation.OneHot) {
      Scalar a = yes.asScalar();
      Scalar b = no.asScalar();
      if (a != null && b != null) {
        return Form.constant(b).plus(Form.of(Form.Product.TAKEN, a.plus(b.times(-1))));
      }
    }
    return named(node, body.select("selected", mask(condition), vector(yes), vector(no)));
  }

  private Form named(Node node, String vector) {
    body.comment(values.origin(node));
    return Form.variable(vector);
  }

  private Form number(String mask) {
    return Form.variable(
        body.select("truth", mask, body.constant(1f, "one"), body.constant(0f, "zero")));
  }

  /** The elements at which a condition holds. */
  private String mask(Node node) {
    Node value = Plan.base(node);
    String known = masks.get(value);
    if (known != null) {
      return known;
    }
    String mask = computeMask(value);
    masks.put(value, mask);
    return mask;
  }

  private String computeMask(Node node) {
    boolean here = Scope.of(node.domain().level()) == scope;
    if (here && node.operation() instanceof Operation.OneHot) {
      return leaves.taken();
    }
    if (here
        && node.operation() instanceof Operation.Apply apply
        && apply.function() == Unary.NOT) {
      return body.not("isNot", mask(node.operand(0)));
    }
    if (here && node.operation() instanceof Operation.Combine combine) {
      Node a = node.operand(0);
      Node b = node.operand(1);
      switch (combine.function()) {
        case LESS -> {
          return compare("isLess", Comparison.LT, a, b);
        }
        case LESS_EQUAL -> {
          return compare("isLess", Comparison.LE, a, b);
        }
        case EQUAL -> {
          return compare("isEqual", Comparison.EQ, a, b);
        }
        case AND -> {
          return body.and("both", mask(a), mask(b));
        }
        case OR -> {
          return body.or("either", mask(a), mask(b));
        }
        default -> {}
      }
    }
    return body.compare("isTrue", Comparison.NE, vector(node), body.constant(0f, "zero"));
  }

  private String compare(String wanted, Comparison comparison, Node a, Node b) {
    return body.compare(wanted, comparison, vector(a), vector(b));
  }

  // Forms as vectors.

  /** A node as a vector. */
  String vector(Node node) {
    return vector(form(node));
  }

  /** A form as a vector. */
  String vector(Form form) {
    String known = vectors.get(form);
    if (known == null) {
      known = write(form);
      vectors.put(form, known);
    }
    return known;
  }

  private String write(Form form) {
    Map<String, Form> byWeight = new java.util.LinkedHashMap<>();
    Map<Form.Product, Scalar> plain = new java.util.LinkedHashMap<>();
    form.terms()
        .forEach((product, factor) -> {
          if (product.equals(Form.Product.TAKEN)) {
            plain.put(new Form.Product(null, vector(number(leaves.taken()))), factor);
          } else if (product.weight() == null) {
            plain.put(product, factor);
          } else {
            Form inner = Form.of(new Form.Product(null, product.variable()), factor);
            byWeight.merge(product.weight(), inner, Form::plus);
          }
        });
    List<String> parts = new ArrayList<>();
    byWeight.forEach((weight, inner) -> parts.add(product(weight, inner)));
    if (!plain.isEmpty() || parts.isEmpty()) {
      parts.add(linear(new Form(plain)));
    }
    String total = parts.getFirst();
    for (String part : parts.subList(1, parts.size())) {
      total = body.add("total", total, part);
    }
    return total;
  }

  private String product(String weight, Form inner) {
    Scalar alone = inner.asScalar();
    if (alone != null) {
      return alone.is(1) ? weight : body.mul("weighted", weight, body.broadcast(alone, "scale"));
    }
    return body.weigh(weight, linear(inner));
  }

  /** A sum of scaled variables and a constant, by fused multiplications. */
  private String linear(Form form) {
    Scalar constant = form.asScalar();
    if (constant != null) {
      return body.broadcast(constant, "base");
    }
    List<Map.Entry<Form.Product, Scalar>> terms =
        new ArrayList<>(form.without(Form.Product.NOTHING).terms().entrySet());
    // Begin with a variable as it is, if there is one: the rest is added to it.
    terms.sort((x, y) -> Boolean.compare(y.getValue().is(1), x.getValue().is(1)));
    constant = form.constant();
    String total = "";
    for (Map.Entry<Form.Product, Scalar> term : terms) {
      String x = String.valueOf(term.getKey().variable());
      Scalar factor = term.getValue();
      String wanted = "times" + Character.toUpperCase(x.charAt(0)) + x.substring(1);
      if (total.isEmpty() && constant.is(0)) {
        total =
            factor.is(1)
                ? x
                : factor.is(-1)
                    ? body.neg("minus", x)
                    : body.mul("scaled", x, body.broadcast(factor, wanted));
      } else {
        String rest = total.isEmpty() ? body.broadcast(constant, "base") : total;
        total =
            factor.is(1)
                ? body.add("total", rest, x)
                : factor.is(-1)
                    ? body.sub("total", rest, x)
                    : body.fma("total", x, body.broadcast(factor, wanted), rest);
      }
    }
    return total;
  }

  /**
   * The part of a form that changes from element to element, as a vector that may lack a factor
   * common to all its terms.
   *
   * @param factor what the vector is to be multiplied with
   */
  record Scaled(String vector, Scalar factor) {}

  /** A plain form without its constant. */
  Scaled scaled(Form form) {
    Form changing = form.without(Form.Product.NOTHING);
    List<Scalar> factors = List.copyOf(changing.terms().values());
    Scalar first = factors.getFirst();
    boolean common = factors.stream().allMatch(f -> f.equals(first) || f.equals(first.times(-1)));
    if (!common) {
      return new Scaled(vector(changing), Scalar.ONE);
    }
    Map<Form.Product, Scalar> signs = new java.util.LinkedHashMap<>();
    changing
        .terms()
        .forEach((product, f) -> signs.put(product, Scalar.of(f.equals(first) ? 1 : -1)));
    return new Scaled(vector(new Form(signs)), first);
  }
}
