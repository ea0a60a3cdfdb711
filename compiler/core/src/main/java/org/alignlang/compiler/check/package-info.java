/** From syntax tree to checked graph: names, kinds, levels, and what an objective means. */
@NullMarked
package org.alignlang.compiler.check;

import org.jspecify.annotations.NullMarked;
