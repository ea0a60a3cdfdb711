/** The interpreter that every other back end is held against: doubles, one array per value. */
@NullMarked
package org.alignlang.compiler.reference;

import org.jspecify.annotations.NullMarked;
