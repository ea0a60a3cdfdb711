/** What a training run needs around the generated objective. */
@NullMarked
package org.alignlang.runtime;

import org.jspecify.annotations.NullMarked;
