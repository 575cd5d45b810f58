"""The concepts and relations that neurons are drawn from: common knowledge, chosen by hand."""

from __future__ import annotations

from hubel.evals.families.words.truth import UNDEFINED

#: Broad topics, categories and properties.
CONCEPTS = tuple(
    text.strip()
    for text in """
    cooking and recipes, breakfast, sweet desserts, fruit, vegetables, seafood, cheese and dairy,
    alcoholic drinks, coffee and tea, spices, kitchen utensils, household furniture, cleaning,
    clothing, shoes, jewellery, hairstyles, cosmetics, perfume and smells, fabrics and sewing,
    farm animals, dogs, cats, fish, reptiles, insects, birds, apes and monkeys, dinosaurs,
    flowers, trees and forests, mushrooms, deserts, mountains, rivers and lakes, islands,
    volcanoes and earthquakes, rain and storms, snow and ice, the seasons, the night sky,
    space travel, planets, chemistry, metals, electricity, light and optics, nuclear energy,
    mathematics, geometry, statistics, genetics, medicine, hospitals, dentistry, mental illness,
    parts of the body, bones, blood, viruses and infection, drugs and pills, pregnancy and birth,
    death and funerals, marriage, family members, children and babies, friendship, love and romance,
    anger, fear, sadness, happiness, pride, laughter and comedy, sleep and dreams, pain,
    school, universities, examinations, reading books, poetry, newspapers, letters and mail,
    grammar, foreign languages, alphabet letters, colours, numbers, days and months, distances,
    money and prices, banks, taxes, shopping, advertising, insurance, employment, agriculture,
    factories, tools, construction of buildings, roads and highways, bridges, houses, castles,
    railways, cars, bicycles, boats and ships, aeroplanes, travel and holidays, hotels, maps,
    football, tennis, boxing, swimming, running races, winter sports, chess, card games, gambling,
    video games, toys, dancing, opera, rock music, jazz, musical instruments, singing, painting,
    photography, cinema, theatre, television, radio, museums, sculpture, circus and magic tricks,
    police, crime and theft, prison, courts and lawyers, elections, kings and queens, democracy,
    diplomacy, revolution, war, weapons, navy, spies, slavery, terrorism, refugees,
    christianity, islam, judaism, hinduism, greek mythology, ghosts and monsters, witches, angels,
    ancient rome, ancient egypt, the middle ages, the wild west, pirates, philosophy, psychology,
    computers, software, the internet, robots, telephones, cryptography, databases,
    africa, china, japan, india, russia, france, germany, italy, spain, scandinavia, australia,
    brazil, california, texas, new york, london, women's names, men's names, surnames,
    fire, water, wind, heat, cold, speed, size, age, weight, beauty, danger, silence and noise,
    cause and effect, agreement, disagreement, beginnings and endings, secrecy, wealth, poverty
    """.replace("\n", " ").split(",")
)

#: A broad concept and a narrower one that is taken out of it.
EXCEPTIONS = tuple(
    (broad.strip(), narrow.strip())
    for broad, _, narrow in (
        line.partition(" - ")
        for line in """animals - birds
    sports - ball games
    vehicles - boats and ships
    food - sweet desserts
    family members - children
    music - singing
    religion - christianity
    the military - weapons
    medicine - drugs and pills
    science - chemistry
    professions - medicine
    nature - trees and forests
    entertainment - television
    politics - elections
    crime - murder
    education - universities
    emotions - anger
    weather - snow and ice
    drinks - alcohol
    clothing - shoes
    art - painting
    language - grammar
    europe - france
    asia - china
    travel - aeroplanes
    literature - poetry
    law - prison
    finance - taxes
    the human body - blood
    houses - furniture
    computing - the internet
    history - war
    plants - flowers
    communication - telephones""".splitlines()
    )
)

#: The kinds of the two words of a relation.
RELATIONS = tuple(
    (first.strip(), second.strip())
    for first, _, second in (
        line.partition(" - ")
        for line in """country - currency
    country - language
    country - religion
    city - river
    animal - sound
    animal - young animal
    animal - body part
    tree - fruit
    fruit - colour
    profession - tool
    profession - workplace
    athlete - sport
    musician - musical instrument
    dish - ingredient
    drink - container
    vehicle - fuel
    disease - symptom
    disease - medicine
    crime - punishment
    metal - use
    planet - size
    month - weather
    god - domain of the god
    king - kingdom
    scientist - discovery
    writer - language
    building - material
    garment - body part
    emotion - facial expression
    festival - season
    company - product
    ship - ocean
    school subject - concept
    insect - colour
    weapon - war
    girl - boy""".splitlines()
    )
)

#: What is taken out of a relation by the kind of its first word.
UNLESS = {
    "country": ("country in europe", "country in africa", "country in asia"),
    "city": ("city in america", "city in germany"),
    "animal": ("bird", "fish", "insect"),
    "profession": ("medical doctor", "soldier"),
    "disease": ("infection", "cancer"),
    "vehicle": ("boat", "aeroplane"),
    "musician": ("singer",),
    "crime": ("murder",),
    "dish": ("dessert",),
    "drink": ("alcoholic drink",),
}


def texts() -> list[str]:
    """All that a judge may be asked about, sorted."""
    pairs = [text for pair in (*EXCEPTIONS, *RELATIONS) for text in pair]
    taken = [text for texts in UNLESS.values() for text in texts]
    return sorted({*CONCEPTS, *pairs, *taken, UNDEFINED})
