"""Exact arithmetic over text, bounded: no expression takes long or much. Pure.

Rational numbers stay exact. Roots, logarithms and angles are floating point, and say so.
"""

import ast
import math
import operator
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

from aios.errors import InvalidArgument

CHARACTERS_MAX = 1_000
BITS_MAX = 1 << 14  # of a numerator or denominator
DIGITS_MAX = 60  # of a fraction that does not end
Number = Fraction | float
# What the parser raises, also of what is too deep for it.
_NO_ARITHMETIC = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError, SystemError)
_EXPECTED = "expected arithmetic such as (3 + 4) * 2 / 7, with + - * / // % ** and functions"


def evaluate(expression: str) -> Number:
    """Its value. Raises `InvalidArgument` for what is no arithmetic, or too large."""
    if len(expression) > CHARACTERS_MAX:
        raise InvalidArgument(f"expression: expected at most {CHARACTERS_MAX} characters")
    try:
        tree = ast.parse(expression.strip().replace("^", "**"), mode="eval")
        return _bounded(_value(tree.body))
    except InvalidArgument:
        raise
    except ZeroDivisionError:
        raise InvalidArgument("expression: it divides by zero") from None
    except OverflowError:
        raise _too_large() from None
    except _NO_ARITHMETIC as problem:
        raise InvalidArgument(f"expression: {_EXPECTED}; {_line(problem)}") from None


def spelled(value: Number) -> str:
    """The value in digits: exactly where that ends, and how near where it does not."""
    if isinstance(value, float):
        return f"about {value!r}"
    if value.denominator == 1:
        return str(value.numerator)
    with localcontext() as context:
        context.prec = DIGITS_MAX
        digits = Decimal(value.numerator) / Decimal(value.denominator)
        if Fraction(digits) == value:
            return f"{digits:f}"
        context.prec = 17
        return f"{value.numerator}/{value.denominator} (about {+digits})"


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            # A decimal number is what its digits say, not the nearest binary one.
            return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_value(left), _value(right)))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](*map(_value, args)))
        case _:
            raise InvalidArgument(
                f"expression: {_EXPECTED} {', '.join(_FUNCTIONS)}; got `{ast.unparse(node)[:60]}`"
            )


def _bounded(value: Number) -> Number:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _too_large()
        return value
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > BITS_MAX:
        raise _too_large()
    return value


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, float) or isinstance(exponent, float) or exponent.denominator != 1:
        return _real(pow(float(base), float(exponent)))
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base not in (0, 1, -1) and bits * abs(exponent) > 2 * BITS_MAX:  # Before it is computed.
        raise _too_large()
    return _of_one(base, exponent) if abs(base) == 1 else Fraction(base ** int(exponent))


def _of_one(base: Fraction, exponent: Fraction) -> Fraction:
    return Fraction(1) if base == 1 or exponent.numerator % 2 == 0 else Fraction(-1)


def _real(value: complex) -> float:
    if isinstance(value, complex):
        raise InvalidArgument("expression: expected a real number, it has none")
    return value


def _factorial(value: Number) -> Fraction:
    if not 0 <= value <= 1_000 or value != int(value):
        raise InvalidArgument("expression: factorial: expected a whole number from 0 to 1,000")
    return Fraction(math.factorial(int(value)))


def _whole(name: str, of: Callable[..., int]) -> Callable[..., Number]:
    def apply(*values: Number) -> Number:
        if any(isinstance(one, float) or one.denominator != 1 for one in values):
            raise InvalidArgument(f"expression: {name}: expected whole numbers")
        return Fraction(of(*map(int, values)))

    return apply


def _root(value: Number) -> Number:
    """Exact for squares."""
    if isinstance(value, Fraction) and value >= 0:
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return math.sqrt(value)


def _rounded(value: Number, places: Number = Fraction(0)) -> Number:
    """Halves away from zero, as people do."""
    if not -DIGITS_MAX <= places <= DIGITS_MAX or places != int(places):
        raise InvalidArgument(f"expression: round: expected -{DIGITS_MAX} to {DIGITS_MAX} places")
    scale = Fraction(10) ** int(places)
    scaled = abs(Fraction(value)) * scale
    near = Fraction(math.floor(scaled + Fraction(1, 2))) / scale
    return near if value >= 0 else -near


def _inexact(of: Callable[..., float]) -> Callable[..., Number]:
    return lambda *values: of(*map(float, values))


def _exact(of: Callable[[Number], int]) -> Callable[[Number], Number]:
    return lambda value: Fraction(of(value))


_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: Fraction(left // right),
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_UNARY: dict[type[ast.unaryop], Callable[[Number], Number]] = {
    ast.UAdd: lambda value: value,
    ast.USub: lambda value: -value,
}
_CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "round": _rounded,
    "floor": _exact(math.floor),
    "ceil": _exact(math.ceil),
    "sqrt": _root,
    "factorial": _factorial,
    "gcd": _whole("gcd", math.gcd),
    "lcm": _whole("lcm", math.lcm),
    "comb": _whole("comb", lambda n, k: math.comb(n, k) if n <= 1_000 else _no_comb()),
    "exp": _inexact(math.exp),
    "ln": _inexact(math.log),
    "log": _inexact(math.log),
    "log10": _inexact(math.log10),
    "log2": _inexact(math.log2),
    "sin": _inexact(math.sin),
    "cos": _inexact(math.cos),
    "tan": _inexact(math.tan),
    "asin": _inexact(math.asin),
    "acos": _inexact(math.acos),
    "atan": _inexact(math.atan),
}


def _no_comb() -> int:
    raise InvalidArgument("expression: comb: expected whole numbers up to 1,000")


def _too_large() -> InvalidArgument:
    return InvalidArgument("expression: its value, or one on the way to it, is too large")


def _line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:120]
