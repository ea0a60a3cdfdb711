@file:JvmName("Expressions")

package org.alignlang.kotlin

/** A value of an objective: the text that it is in Align. */
public class Expression internal constructor(internal val text: String, private val binding: Int) {
    /** The text, in parentheses where an operator that binds this closely needs them. */
    internal fun inside(needed: Int): String = if (binding < needed) "($text)" else text

    public operator fun plus(other: Expression): Expression = joined(other, "+", SUM)
    public operator fun plus(other: Number): Expression = this + number(other)
    public operator fun minus(other: Expression): Expression = joined(other, "-", SUM)
    public operator fun minus(other: Number): Expression = this - number(other)
    public operator fun times(other: Expression): Expression = joined(other, "*", PRODUCT)
    public operator fun times(other: Number): Expression = this * number(other)
    public operator fun div(other: Expression): Expression = joined(other, "/", PRODUCT)
    public operator fun div(other: Number): Expression = this / number(other)
    public operator fun unaryMinus(): Expression = Expression("-" + inside(SIGN), SIGN)

    /** `this ^ exponent`. */
    public infix fun pow(exponent: Expression): Expression =
        Expression("${inside(CALL)} ^ ${exponent.inside(POWER)}", POWER)

    /** `this ^ exponent`. */
    public infix fun pow(exponent: Number): Expression = this pow number(exponent)

    /** `this < other`. */
    public infix fun lt(other: Expression): Expression = compared(other, "<")

    /** `this <= other`. */
    public infix fun le(other: Expression): Expression = compared(other, "<=")

    /** `this > other`. */
    public infix fun gt(other: Expression): Expression = compared(other, ">")

    /** `this >= other`. */
    public infix fun ge(other: Expression): Expression = compared(other, ">=")

    /** `this == other`. */
    public infix fun eq(other: Expression): Expression = compared(other, "==")

    private fun joined(other: Expression, operator: String, level: Int) =
        Expression("${inside(level)} $operator ${other.inside(level + 1)}", level)

    private fun compared(other: Expression, operator: String) =
        Expression("${inside(SUM)} $operator ${other.inside(SUM)}", COMPARISON)

    /** The text in Align. */
    override fun toString(): String = text

    internal companion object {
        // How closely operators bind, loosest first.
        const val CONDITION = 0
        const val COMPARISON = 1
        const val SUM = 2
        const val PRODUCT = 3
        const val SIGN = 4
        const val POWER = 5
        const val CALL = 6
    }
}

public operator fun Number.plus(other: Expression): Expression = number(this) + other
public operator fun Number.minus(other: Expression): Expression = number(this) - other
public operator fun Number.times(other: Expression): Expression = number(this) * other
public operator fun Number.div(other: Expression): Expression = number(this) / other

/** A number. */
public fun number(value: Number): Expression {
    val text = value.toString().removeSuffix(".0").replace("E", "e")
    return Expression(text, if (text.startsWith("-")) Expression.SIGN else Expression.CALL)
}

/** A call of any function of the language, of the library or of an import: `call("clip_reward", r)`. */
public fun call(function: String, vararg arguments: Expression): Expression =
    Expression(function + arguments.joinToString(", ", "(", ")") { it.text }, Expression.CALL)

public fun log(x: Expression): Expression = call("log", x)
public fun exp(x: Expression): Expression = call("exp", x)
public fun sqrt(x: Expression): Expression = call("sqrt", x)
public fun abs(x: Expression): Expression = call("abs", x)
public fun tanh(x: Expression): Expression = call("tanh", x)
public fun relu(x: Expression): Expression = call("relu", x)
public fun sigmoid(x: Expression): Expression = call("sigmoid", x)
public fun logSigmoid(x: Expression): Expression = call("log_sigmoid", x)
public fun softplus(x: Expression): Expression = call("softplus", x)
public fun min(a: Expression, b: Expression): Expression = call("min", a, b)
public fun max(a: Expression, b: Expression): Expression = call("max", a, b)
public fun stop(x: Expression): Expression = call("stop", x)
public fun length(s: Sequence): Expression = call("length", Expression(s.name, Expression.CALL))

/** `if condition then yes else no`. */
public fun cond(condition: Expression, yes: Expression, no: Expression): Expression =
    Expression(
        "if ${condition.text} then ${yes.inside(Expression.COMPARISON)} else ${no.text}",
        Expression.CONDITION,
    )

/** A level, or several that are reduced as one. */
public enum class Level(internal val word: String) {
    BATCH("batch"),
    GROUP("group"),
    PAIR("pair"),
    SEQUENCE("sequence"),
    TOKEN("token"),
    VOCAB("vocab"),
    MEMBER("member"),
}

private fun reduced(function: String, x: Expression, levels: Array<out Level>): Expression {
    val over = levels.joinToString(", ") { it.word }
    return Expression("$function[$over](${x.text})", Expression.CALL)
}

public fun mean(x: Expression, vararg over: Level): Expression = reduced("mean", x, over)
public fun sum(x: Expression, vararg over: Level): Expression = reduced("sum", x, over)
public fun max(x: Expression, vararg over: Level): Expression = reduced("max", x, over)
public fun min(x: Expression, vararg over: Level): Expression = reduced("min", x, over)

/** The expectation of a reward under the policy. */
public fun expected(x: Expression): Expression = Expression("E[${x.text}]", Expression.CALL)

/** The divergence of one actor from another: `KL(pi || ref)`. */
public fun divergence(name: String, of: Actor, from: Actor): Expression =
    Expression("$name(${of.name} || ${from.name})", Expression.CALL)

/** The reverse Kullback-Leibler divergence: `KL(pi || ref)`. */
public fun kl(of: Actor, from: Actor): Expression = divergence("KL", of, from)

/** Who gives probabilities. */
public class Actor internal constructor(internal val name: String) {
    /** The probability of a response. */
    public operator fun invoke(s: Sequence): Expression = Expression("$name(${s.name})", Expression.CALL)

    /** The probability of each taken token. */
    public fun tokens(s: Sequence): Expression = Expression("$name(${s.name}.token)", Expression.CALL)

    /** The distribution over the vocabulary at each position. */
    public fun vocabulary(s: Sequence): Expression = Expression("$name(${s.name}.vocab)", Expression.CALL)
}

/** A response. */
public class Sequence internal constructor(internal val name: String)

/** A column that belongs to each side of a pair. */
public class Column internal constructor(internal val name: String) {
    /** Its value for one side. */
    public operator fun invoke(s: Sequence): Expression = Expression("$name(${s.name})", Expression.CALL)

    /** Its value. */
    public operator fun invoke(): Expression = Expression(name, Expression.CALL)
}

/** A function of a response. */
public class Let internal constructor(private val name: String) {
    public operator fun invoke(s: Sequence): Expression = Expression("$name(${s.name})", Expression.CALL)
}
