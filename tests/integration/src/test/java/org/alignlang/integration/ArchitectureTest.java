package org.alignlang.integration;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Dependencies point one way: grammar, compiler, command line; the runtime sees no compiler. */
@AnalyzeClasses(packages = "org.alignlang", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule theKernelDependsOnTheJdkAlone =
      classes()
          .that()
          .resideInAPackage("org.alignlang.kernel..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("org.alignlang.kernel..", "java..", "jdk..", "org.jspecify..");

  @ArchTest
  static final ArchRule theRuntimeSeesNoCompiler =
      noClasses()
          .that()
          .resideInAPackage("org.alignlang.runtime..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.alignlang.compiler..", "org.alignlang.grammar..", "org.alignlang.cli..");

  @ArchTest
  static final ArchRule theCompilerSeesNoCommandLine =
      noClasses()
          .that()
          .resideInAPackage("org.alignlang.compiler..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.alignlang.cli..", "picocli..");

  @ArchTest
  static final ArchRule antlrStaysBehindTheSyntaxPackage =
      noClasses()
          .that()
          .resideOutsideOfPackages("org.alignlang.compiler.syntax..", "org.alignlang.grammar..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.antlr..", "org.alignlang.grammar..");
}
