package org.alignlang.compiler.codegen.api;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.kernel.ParameterValues;
import org.alignlang.kernel.Signature;

/**
 * The records of an objective's parameters and multipliers.
 *
 * <p>A record whose spec gets one more parameter keeps the constructors that it had, as long as the
 * new one comes last and has a default; {@code defaults()} and {@code with...} stay in any case. So
 * callers that were compiled before go on to work.
 */
final class ParameterTypes {
  private static final TypeName DOUBLES = ArrayTypeName.of(TypeName.DOUBLE);

  private final CheckedObjective objective;
  private final Signature signature;
  private final Places places;
  private final ClassName type;
  private final ClassName multipliers;
  private final List<Component> components = new ArrayList<>();

  private record Component(Signature.Parameter parameter, String name, TypeName type) {
    boolean hasDefault() {
      return !Double.isNaN(parameter.defaultValue());
    }

    CodeBlock defaultValue() {
      return type.equals(TypeName.DOUBLE)
          ? JavaText.number(parameter.defaultValue())
          : CodeBlock.of("$L", (long) parameter.defaultValue());
    }
  }

  ParameterTypes(CheckedObjective objective, Places places, ClassName owner) {
    this.objective = objective;
    this.signature = objective.signature();
    this.places = places;
    type = owner.nestedClass("Parameters");
    multipliers = owner.nestedClass("Multipliers");
    Set<String> taken = ApiNames.members();
    for (Signature.Parameter parameter : signature.parameters()) {
      boolean whole =
          parameter.integer() && !(Math.abs(parameter.defaultValue()) > Integer.MAX_VALUE);
      components.add(
          new Component(
              parameter,
              JavaText.unique(JavaText.variable(parameter.name()), taken),
              whole ? TypeName.INT : TypeName.DOUBLE));
    }
  }

  boolean allHaveDefaults() {
    return components.stream().allMatch(Component::hasDefault);
  }

  TypeSpec record() {
    TypeSpec.Builder record =
        TypeSpec.recordBuilder(type.simpleName())
            .addModifiers(Modifier.PUBLIC)
            .addJavadoc(
                "The parameters of {@code $L}.\n\n"
                    + "<p>{@code with...} changes one of them, and goes on to work when the spec"
                    + " gets more.\n",
                JavaText.javadoc(objective.name()));
    MethodSpec.Builder canonical = MethodSpec.constructorBuilder();
    MethodSpec.Builder check = MethodSpec.compactConstructorBuilder().addModifiers(Modifier.PUBLIC);
    boolean checks = false;
    if (!components.isEmpty()) {
      record.addJavadoc("\n");
    }
    for (Component component : components) {
      canonical.addParameter(component.type(), component.name());
      record.addJavadoc("@param $L $L\n", component.name(), describe(component));
      CodeBlock checked = check(component);
      if (!checked.isEmpty()) {
        check.addStatement(checked);
        checks = true;
      }
    }
    record.recordConstructor(canonical.build());
    if (checks) {
      record.addMethod(check.build());
    }
    for (int given = components.size() - 1; given >= 0; given--) {
      if (components.subList(given, components.size()).stream().allMatch(Component::hasDefault)) {
        record.addMethod(shorter(given));
      }
    }
    if (allHaveDefaults()) {
      record.addMethod(
          MethodSpec.methodBuilder("defaults")
              .addJavadoc("The default of each parameter.\n")
              .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
              .returns(type)
              .addStatement(
                  "return new $T($L)",
                  type,
                  CodeBlock.join(components.stream().map(Component::defaultValue).toList(), ", "))
              .build());
    }
    for (Component component : components) {
      record.addMethod(
          MethodSpec.methodBuilder("with" + JavaText.type(component.name()))
              .addJavadoc("The same parameters with another {@code $L}.\n", component.name())
              .addModifiers(Modifier.PUBLIC)
              .addParameter(component.type(), component.name())
              .returns(type)
              .addStatement(
                  "return new $T($L)",
                  type,
                  String.join(", ", components.stream().map(Component::name).toList()))
              .build());
    }
    record.addMethod(values(components.stream().map(Component::name).toList()));
    return record.build();
  }

  private String describe(Component component) {
    String name = component.parameter().name();
    StringBuilder text =
        new StringBuilder("{@code ").append(JavaText.javadoc(name)).append("} of ");
    text.append(JavaText.javadoc(places.parameter(name)));
    text.append(component.hasDefault() ? ", by default " + component.defaultValue() : "");
    if (objective.fixed().containsKey(name)) {
      text.append("; part of the formula, so that it cannot be another here");
    }
    return text.toString();
  }

  private CodeBlock check(Component component) {
    String name = component.parameter().name();
    String place = places.parameter(name);
    CodeBlock what = JavaText.text("`" + name + "` of `" + objective.name() + "`");
    Map<String, Double> fixed = objective.fixed();
    if (fixed.containsKey(name)) {
      return CodeBlock.of(
          "$T.fixed($L, $L, $L, $L)",
          ParameterValues.class,
          JavaText.text(place),
          what,
          JavaText.number(fixed.get(name)),
          component.name());
    }
    return component.type().equals(TypeName.INT)
        ? CodeBlock.of("")
        : CodeBlock.of(
            "$T.finite($L, $L, $L)",
            ParameterValues.class,
            JavaText.text(place),
            what,
            component.name());
  }

  /** The constructor that the record had when it had fewer components. */
  private MethodSpec shorter(int given) {
    MethodSpec.Builder make =
        MethodSpec.constructorBuilder()
            .addModifiers(Modifier.PUBLIC)
            .addJavadoc(
                given == 0
                    ? "The default of each parameter.\n"
                    : "These parameters, and the defaults of the others.\n");
    List<CodeBlock> values = new ArrayList<>();
    for (int i = 0; i < components.size(); i++) {
      Component component = components.get(i);
      if (i < given) {
        make.addParameter(ParameterSpec.builder(component.type(), component.name()).build());
        values.add(CodeBlock.of("$L", component.name()));
      } else {
        values.add(component.defaultValue());
      }
    }
    return make.addStatement("this($L)", CodeBlock.join(values, ", ")).build();
  }

  TypeSpec multipliers() {
    Set<String> taken = ApiNames.members();
    List<String> names = new ArrayList<>();
    MethodSpec.Builder canonical = MethodSpec.constructorBuilder();
    TypeSpec.Builder record =
        TypeSpec.recordBuilder(multipliers.simpleName())
            .addModifiers(Modifier.PUBLIC)
            .addJavadoc(
                "The Lagrange multipliers of the constraints, which a training loop moves by {@link"
                    + " Violations} after each step: {@code org.alignlang.runtime.dual.Multipliers}"
                    + " of {@code align-runtime} does so by the rules of the spec.\n\n");
    for (Signature.Constraint constraint : signature.constraints()) {
      String name = JavaText.unique(JavaText.variable(constraint.multiplier()), taken);
      names.add(name);
      canonical.addParameter(TypeName.DOUBLE, name);
      record.addJavadoc(
          "@param $L of the constraint on {@code $L}, at first $L\n",
          name,
          JavaText.javadoc(constraint.name()),
          JavaText.number(constraint.initial()));
    }
    record.recordConstructor(canonical.build());
    List<CodeBlock> initial =
        signature.constraints().stream().map(c -> JavaText.number(c.initial())).toList();
    record.addMethod(
        MethodSpec.methodBuilder("initial")
            .addJavadoc("The multipliers before the first step.\n")
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .returns(multipliers)
            .addStatement("return new $T($L)", multipliers, CodeBlock.join(initial, ", "))
            .build());
    CodeBlock.Builder all = CodeBlock.builder();
    for (int i = 0; i < names.size(); i++) {
      all.add(i == 0 ? "values[$L]" : ", values[$L]", i);
    }
    record.addMethod(
        MethodSpec.methodBuilder("of")
            .addJavadoc("The multipliers in the order of the constraints.\n")
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .addParameter(DOUBLES, "values")
            .returns(multipliers)
            .beginControlFlow("if (values.length != $L)", names.size())
            .addStatement(
                "throw new $T(values.length + $S)",
                IllegalArgumentException.class,
                " multipliers where " + names.size() + " belong")
            .endControlFlow()
            .addStatement("return new $T($L)", multipliers, all.build())
            .build());
    record.addMethod(values(names));
    return record.build();
  }

  static MethodSpec values(List<String> names) {
    return MethodSpec.methodBuilder("values")
        .addJavadoc("All of them, in the order declared.\n")
        .addModifiers(Modifier.PUBLIC)
        .returns(DOUBLES)
        .addStatement("return new double[] {$L}", String.join(", ", names))
        .build();
  }
}
