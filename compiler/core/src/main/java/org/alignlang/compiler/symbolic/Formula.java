package org.alignlang.compiler.symbolic;

/**
 * A formula for people, in three spellings.
 *
 * @param text Align syntax
 * @param unicode mathematics in plain text
 * @param latex LaTeX without dollar signs
 */
public record Formula(String text, String unicode, String latex) {}
