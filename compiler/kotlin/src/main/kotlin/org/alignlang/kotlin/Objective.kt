@file:JvmName("Objectives")

package org.alignlang.kotlin

import kotlin.properties.PropertyDelegateProvider
import kotlin.properties.ReadOnlyProperty
import org.alignlang.compiler.check.CheckedObjective
import org.alignlang.compiler.codegen.BackEnds
import org.alignlang.compiler.diagnostic.Diagnostic
import org.alignlang.compiler.driver.Compilation
import org.alignlang.compiler.driver.Compiler
import org.alignlang.compiler.format.Formatter
import org.alignlang.compiler.source.SourceFile
import org.alignlang.kernel.ObjectiveKernel

/** Keeps an objective's builder from being used inside that of another. */
@DslMarker
public annotation class ObjectiveDsl

/** Declares a thing under the name of the property that it is given to. */
public typealias Named<T> = PropertyDelegateProvider<Any?, ReadOnlyProperty<Any?, T>>

/** Writes an objective; what each word means is in the guide to the language. */
public fun objective(name: String, documentation: String = "", write: ObjectiveBuilder.() -> Unit): Objective {
    val builder = ObjectiveBuilder()
    builder.write()
    return Objective(name, documentation, builder)
}

/** The statements of an objective, in the order written. */
@ObjectiveDsl
public class ObjectiveBuilder internal constructor() {
    internal class Line(val text: String, val place: String)

    internal val imports = mutableListOf<Line>()
    internal val parameters = mutableListOf<Line>()
    internal val statements = mutableListOf<Line>()

    /** The response, where rows are single ones. */
    public val y: Sequence = Sequence("y")

    /** `import align.losses.dpo`. */
    public fun import(module: String) {
        imports += Line("import $module", callSite())
    }

    /** A parameter: a number, with its default. */
    public fun real(default: Number? = null): Named<Expression> = parameter("Real", default)

    /** A parameter: a whole number, with its default. */
    public fun int(default: Int? = null): Named<Expression> = parameter("Int", default)

    private fun parameter(type: String, default: Number?) = named { name, place ->
        parameters += Line("$name: $type" + if (default == null) "" else " = ${number(default)}", place)
        Expression(name, Expression.CALL)
    }

    public fun policy(): Named<Actor> = actor("policy")
    public fun reference(): Named<Actor> = actor("reference")
    public fun teacher(): Named<Actor> = actor("teacher")
    public fun behavior(): Named<Actor> = actor("behavior")

    private fun actor(role: String) = named { name, place ->
        statements += Line("$role $name", place)
        Actor(name)
    }

    /** Rows are pairs, of which the first response is preferred. */
    public fun pairs(chosen: String = "chosen", rejected: String = "rejected"): Pair<Sequence, Sequence> {
        statements += Line("pairs $chosen > $rejected", callSite())
        return Sequence(chosen) to Sequence(rejected)
    }

    /** Rows belong to prompts. */
    public fun groupByPrompt() {
        statements += Line("group by prompt", callSite())
    }

    public fun reward(at: Level = Level.SEQUENCE, members: Int = 0): Named<Column> = column("reward", at, members)
    public fun feature(at: Level = Level.SEQUENCE, members: Int = 0): Named<Column> = column("feature", at, members)
    public fun learn(at: Level = Level.TOKEN): Named<Column> = column("learn", at, 0)

    private fun column(role: String, at: Level, members: Int) = named { name, place ->
        statements += Line("$role $name: ${at.word}" + if (members > 0) "[$members]" else "", place)
        Column(name)
    }

    /** A value with a name. */
    public fun let(value: Expression): Named<Expression> = named { name, place ->
        statements += Line("let $name = ${value.text}", place)
        Expression(name, Expression.CALL)
    }

    /** A function of a response. */
    public fun let(value: (Sequence) -> Expression): Named<Let> = named { name, place ->
        statements += Line("let $name(s) = ${value(Sequence("s")).text}", place)
        Let(name)
    }

    public fun maximize(value: Expression) {
        statements += Line("maximize ${value.text}", callSite())
    }

    public fun minimize(value: Expression) {
        statements += Line("minimize ${value.text}", callSite())
    }

    /** `subject to condition multiplier NAME(init, rate)`. */
    public fun subjectTo(
        condition: Expression,
        multiplier: String,
        init: Number = 0,
        rate: Number = 0.05,
    ) {
        val clause = "multiplier $multiplier(init = ${number(init)}, rate = ${number(rate)})"
        statements += Line("subject to ${condition.text} $clause", callSite())
    }

    /** `estimate with rloo()`. */
    public fun estimateWith(estimator: String, vararg arguments: Expression) {
        statements += Line("estimate with ${call(estimator, *arguments).text}", callSite())
    }

    public fun metric(name: String, value: Expression) {
        statements += Line("metric $name = ${value.text}", callSite())
    }

    private fun <T> named(declare: (String, String) -> T): Named<T> = PropertyDelegateProvider { _, property ->
        val declared = declare(property.name, callSite())
        ReadOnlyProperty { _, _ -> declared }
    }

    private companion object {
        val WALKER: StackWalker = StackWalker.getInstance()

        /** Where in the user's program this was written, as `Losses.kt:12`. */
        fun callSite(): String = WALKER.walk { frames ->
            frames
                .filter { it.fileName != "Objective.kt" || !it.className.startsWith("org.alignlang.kotlin.") }
                .findFirst()
                .map { "${it.fileName}:${it.lineNumber}" }
                .orElse("")
        }
    }
}

/** A finding about an objective, and where in the Kotlin program it was written. */
public class Finding internal constructor(public val diagnostic: Diagnostic, public val place: String) {
    /** In one line. */
    override fun toString(): String =
        "$place: ${diagnostic.severity().word()}[${diagnostic.code().code()}] ${diagnostic.message()}"
}

/** The objective has errors; the message says which, and where in the Kotlin program. */
public class InvalidObjectiveException internal constructor(public val findings: List<Finding>) :
    RuntimeException(findings.joinToString("\n"))

/** An objective that was written in Kotlin. It is compiled from its text in Align, so it is the same. */
public class Objective internal constructor(
    public val name: String,
    documentation: String,
    builder: ObjectiveBuilder,
) {
    /** One line for each statement, so that a line says where its statement was written. */
    private val lines: List<ObjectiveBuilder.Line>

    private val compilation: Compilation

    init {
        val head = documentation.lines().filter { it.isNotBlank() }.map { ObjectiveBuilder.Line("/// $it", "") }
        val parameters = builder.parameters
        val place = (parameters + builder.statements).firstOrNull()?.place.orEmpty()
        lines = buildList {
            addAll(builder.imports)
            addAll(head)
            add(ObjectiveBuilder.Line("objective $name" + if (parameters.isEmpty()) " {" else "(", place))
            parameters.forEachIndexed { i, p ->
                add(ObjectiveBuilder.Line(p.text + if (i < parameters.size - 1) "," else ") {", p.place))
            }
            addAll(builder.statements)
            add(ObjectiveBuilder.Line("}", place))
        }
        compilation = Compiler.compile("$name.align", lines.joinToString("\n", postfix = "\n") { it.text })
    }

    /** The findings of the compiler, errors first found first. */
    public val findings: List<Finding> = compilation.diagnostics().map { finding ->
        val line = finding.span().source().line(finding.span().start())
        val ours = finding.span().source().path() == "$name.align"
        Finding(finding, if (ours) lines[minOf(line, lines.size) - 1].place else finding.span().place())
    }

    /** The same in Align, laid out. */
    override fun toString(): String {
        val source = SourceFile("$name.align", lines.joinToString("\n", postfix = "\n") { it.text })
        return when (val outcome = Formatter.format(source)) {
            is Formatter.Outcome.Formatted -> outcome.text()
            is Formatter.Outcome.Refused -> source.text()
        }
    }

    /** The checked objective, for the calls of the compiler. Throws [InvalidObjectiveException]. */
    public fun check(): CheckedObjective {
        val errors = findings.filter { it.diagnostic.isError }
        if (errors.isNotEmpty()) throw InvalidObjectiveException(errors)
        return compilation.objective(name).orElseThrow()
    }

    /** A kernel that can be run. Throws [InvalidObjectiveException]. */
    public fun kernel(): ObjectiveKernel = BackEnds.standard().kernel(check())
}
