package org.alignlang.compiler.check;

import java.util.List;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.kernel.Level;

/** What a name or an expression stands for. */
public sealed interface Meaning {

  /** What it is, for messages: {@code a number}, {@code an actor}. */
  String what();

  /**
   * A value at a level; one node, or one per ensemble member. A {@code PROB} is held as its
   * logarithm.
   */
  record Value(Kind kind, List<Node> nodes, boolean ensemble) implements Meaning {
    public Value {
      nodes = List.copyOf(nodes);
    }

    static Value of(Kind kind, Node node) {
      return new Value(kind, List.of(node), false);
    }

    Node node() {
      return nodes.get(0);
    }

    Domain domain() {
      return nodes.get(0).domain();
    }

    @Override
    public String what() {
      return "a value";
    }
  }

  /** A sequence, such as {@code y} or {@code chosen}. */
  record SequenceName(String name) implements Meaning {
    @Override
    public String what() {
      return "a sequence";
    }
  }

  /** The sequences of ranked data, the best first: what is applied to them is applied to each. */
  record RankedName(String name, List<String> sequences) implements Meaning {
    @Override
    public String what() {
      return "a list of ranked sequences";
    }
  }

  /** A declared preference. */
  record PreferenceName(String name) implements Meaning {
    @Override
    public String what() {
      return "a preference";
    }
  }

  /** {@code occupancy(pi)}: how often an actor is in each state and takes each action. */
  record OccupancyMeasure(ActorName actor) implements Meaning {
    @Override
    public String what() {
      return "an occupancy measure";
    }
  }

  /** {@code y.token} or {@code y.vocab}. */
  record SequenceView(String sequence, Level level) implements Meaning {
    @Override
    public String what() {
      return "a view of a sequence";
    }
  }

  /** A policy, reference, teacher or behaviour policy. */
  record ActorName(String name, Statement.Role role) implements Meaning {
    @Override
    public String what() {
      return "an actor";
    }
  }

  /** A declared target distribution. */
  record TargetName(String name) implements Meaning {
    @Override
    public String what() {
      return "a target distribution";
    }
  }

  /** A divergence with its parameters filled in. */
  record DivergenceName(Divergence divergence) implements Meaning {
    @Override
    public String what() {
      return "a divergence";
    }
  }

  /** A divergence declaration that still needs its parameters. */
  record DivergenceFamily(Declaration.DivergenceDeclaration declaration, Scope scope)
      implements Meaning {
    @Override
    public String what() {
      return "a divergence";
    }
  }

  /** {@code D.link}, {@code D.k1} and so on. */
  record DivergenceMember(Divergence divergence, String member) implements Meaning {
    @Override
    public String what() {
      return "a function of a divergence";
    }
  }

  /** A function declared by {@code fun} or {@code let f(x) = ...}. */
  record FunctionName(
      String name,
      List<Declaration.Parameter> parameters,
      List<Statement.Let> lets,
      Expression body,
      Scope scope)
      implements Meaning {
    @Override
    public String what() {
      return "a function";
    }
  }

  /** A function of the language itself. */
  record BuiltinName(String name) implements Meaning {
    @Override
    public String what() {
      return "a function";
    }
  }

  /** A reduction with its levels: {@code mean[token, sequence]}. */
  record ReductionName(String name, List<String> levels) implements Meaning {
    @Override
    public String what() {
      return "a reduction";
    }
  }

  /** A column that belongs to each sequence of a pair: {@code r(chosen)}. */
  record ColumnName(Statement.Column column, Scope scope) implements Meaning {
    @Override
    public String what() {
      return "a column";
    }
  }

  record EstimatorName(Declaration.EstimatorDeclaration declaration, Scope scope)
      implements Meaning {
    @Override
    public String what() {
      return "an estimator";
    }
  }

  record ObjectiveName(Declaration.ObjectiveDeclaration declaration, Scope scope)
      implements Meaning {
    @Override
    public String what() {
      return "an objective";
    }
  }

  record ExperimentName(Declaration.ExperimentDeclaration declaration, Scope scope)
      implements Meaning {
    @Override
    public String what() {
      return "an experiment";
    }
  }

  /** A module that was imported with {@code as}. */
  record ModuleName(String name, Scope scope) implements Meaning {
    @Override
    public String what() {
      return "a module";
    }
  }
}
