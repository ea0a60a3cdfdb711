package org.alignlang.compiler.codegen.api;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Signature;

/** The records of what a call gives: loss, terms, metrics, violations and gradients. */
final class ResultTypes {
  private final ClassName owner;
  private final String lossIs;
  private final List<Group> groups = new ArrayList<>();

  /** One number or column of a result. */
  private record Component(String name, TypeName type, CodeBlock value, String document) {}

  /** The record of components that belong together. */
  private record Group(String type, String document, List<Component> components) {
    String name() {
      return JavaText.variable(type);
    }
  }

  ResultTypes(
      CheckedObjective objective, List<ObjectiveTerms.Term> terms, Places places, ClassName owner) {
    this.owner = owner;
    Signature signature = objective.signature();
    lossIs =
        objective.expectations().isEmpty()
            ? "what is minimised"
            : "what is minimised: its gradient is the estimate of the objective's, its value need"
                + " not be; see the terms";
    termsOf(objective, terms);
    metricsOf(signature, places);
    violationsOf(signature);
    gradientsOf(signature);
  }

  private void termsOf(CheckedObjective objective, List<ObjectiveTerms.Term> terms) {
    List<Component> components = new ArrayList<>();
    for (ObjectiveTerms.Term term : terms) {
      components.add(
          new Component(
              term.name(),
              TypeName.DOUBLE,
              CodeBlock.of("$Lroom.metrics()[$L]", term.negative() ? "-" : "", term.metric()),
              term.text().isEmpty()
                  ? "a term"
                  : "of {@code "
                      + JavaText.javadoc(term.text().replaceAll("\\s+", " "))
                          .replace("{", "&#123;")
                          .replace("}", "&#125;")
                      + "}"));
    }
    groups.add(
        new Group(
            "Terms",
            "The terms of what is "
                + (objective.maximize() ? "maximised" : "minimised")
                + ", with their signs: their sum is its value on the batch, constraints left out.",
            components));
  }

  private void metricsOf(Signature signature, Places places) {
    List<Component> components = new ArrayList<>();
    Set<String> taken = ApiNames.members();
    for (int i = 0; i < signature.metrics().size(); i++) {
      String metric = signature.metrics().get(i);
      Optional<Statement.Metric> declared = places.metric(metric);
      components.add(
          new Component(
              JavaText.unique(JavaText.variable(metric), taken),
              TypeName.DOUBLE,
              CodeBlock.of("room.metrics()[$L]", i),
              "{@code "
                  + JavaText.javadoc(metric)
                  + "}"
                  + declared.map(m -> " of " + JavaText.javadoc(m.nameSpan().place())).orElse("")));
    }
    if (!components.isEmpty()) {
      groups.add(new Group("Metrics", "Numbers that are reported beside the loss.", components));
    }
  }

  private void violationsOf(Signature signature) {
    List<Component> components = new ArrayList<>();
    Set<String> taken = ApiNames.members();
    for (int i = 0; i < signature.constraints().size(); i++) {
      Signature.Constraint constraint = signature.constraints().get(i);
      components.add(
          new Component(
              JavaText.unique(JavaText.variable(constraint.name()), taken),
              TypeName.DOUBLE,
              CodeBlock.of("room.violations()[$L]", i),
              "of the constraint with the multiplier {@code "
                  + JavaText.javadoc(constraint.multiplier())
                  + "}"));
    }
    if (!components.isEmpty()) {
      groups.add(
          new Group(
              "Violations",
              "How far each constraint is broken; positive where it is.",
              components));
    }
  }

  private void gradientsOf(Signature signature) {
    List<Component> components = new ArrayList<>();
    Set<String> taken = ApiNames.members();
    for (Signature.Input input : signature.inputs()) {
      if (input.trained()) {
        components.add(
            new Component(
                JavaText.unique(JavaText.variable(input.name()), taken),
                TypeName.get(Column.class),
                CodeBlock.of("room.gradientColumn($L)", JavaText.text(input.name())),
                "for the input of this name"));
      }
    }
    groups.add(
        new Group(
            "Gradients",
            "The gradient of the loss for each trained input, laid out like the input: {@code"
                + " toDoubles()} and {@code toFloats()} give arrays.",
            components));
  }

  /** The expression that makes a result of the room that the kernel wrote to. */
  CodeBlock make() {
    CodeBlock.Builder result =
        CodeBlock.builder().add("new $T($>$>\nroom.loss()", owner.nestedClass("Result"));
    for (Group group : groups) {
      List<CodeBlock> values = group.components().stream().map(Component::value).toList();
      result.add(",\nnew $T($L)", owner.nestedClass(group.type()), CodeBlock.join(values, ", "));
    }
    return result.add(")$<$<").build();
  }

  List<TypeSpec> types() {
    List<TypeSpec> types = new ArrayList<>();
    MethodSpec.Builder canonical =
        MethodSpec.constructorBuilder().addParameter(TypeName.DOUBLE, "loss");
    TypeSpec.Builder result =
        TypeSpec.recordBuilder("Result")
            .addModifiers(Modifier.PUBLIC)
            .addJavadoc("What a call gives.\n\n@param loss $L\n", lossIs);
    for (Group group : groups) {
      canonical.addParameter(owner.nestedClass(group.type()), group.name());
      result.addJavadoc("@param $L see {@link $L}\n", group.name(), group.type());
    }
    types.add(result.recordConstructor(canonical.build()).build());
    groups.forEach(group -> types.add(record(group)));
    return types;
  }

  private static TypeSpec record(Group group) {
    MethodSpec.Builder canonical = MethodSpec.constructorBuilder();
    TypeSpec.Builder record =
        TypeSpec.recordBuilder(group.type())
            .addModifiers(Modifier.PUBLIC)
            .addJavadoc("$L\n\n", group.document());
    for (Component component : group.components()) {
      canonical.addParameter(component.type(), component.name());
      record.addJavadoc("@param $L $L\n", component.name(), component.document());
    }
    record.recordConstructor(canonical.build());
    if (group.type().equals("Violations")) {
      record.addMethod(
          ParameterTypes.values(group.components().stream().map(Component::name).toList()));
    }
    return record.build();
  }
}
