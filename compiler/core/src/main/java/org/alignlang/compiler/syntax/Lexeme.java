package org.alignlang.compiler.syntax;

/**
 * A word, symbol or comment of a file, for tools that keep what the syntax tree leaves out.
 *
 * @param text as written
 * @param start first code unit
 * @param end one past the last code unit
 * @param comment whether it is a comment of either kind
 * @param kind its kind in the grammar, such as {@code NAME} or {@code PLUS}
 */
public record Lexeme(String text, int start, int end, boolean comment, String kind) {}
